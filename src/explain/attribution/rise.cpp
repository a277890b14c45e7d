#include "whence/explain/attribution/rise.h"

#include "explain/attribution/moments.h"
#include "explain/attribution/passes.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

struct Size {
  std::int64_t height, width;
};

/// (count, H, W): a grid with one cell more than asked for, enlarged bilinearly, from which a random piece is cut.
at::Tensor random_masks(std::int64_t count, Size size, const Rise& own, at::Generator& generator) {
  const std::int64_t cell_height = (size.height + own.cells - 1) / own.cells,
                     cell_width = (size.width + own.cells - 1) / own.cells;
  std::vector<at::Tensor> masks;
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor kept =
        at::rand({1, 1, own.cells + 1, own.cells + 1}, generator, draws_of(generator)) < own.keep;
    const at::Tensor large = at::upsample_bilinear2d(
        kept.to(at::kFloat), {(own.cells + 1) * cell_height, (own.cells + 1) * cell_width}, false);
    const auto down =
        at::randint(cell_height, {1}, generator, draws_of(generator, at::kLong)).item<std::int64_t>();
    const auto right =
        at::randint(cell_width, {1}, generator, draws_of(generator, at::kLong)).item<std::int64_t>();
    masks.push_back(large[0][0].narrow(0, down, size.height).narrow(1, right, size.width));
  }
  return at::stack(masks);
}

}  // namespace

Attribution rise(const Request& request, const Options& options) {
  const auto& own = options.of<Rise>();
  const at::Tensor& x = request.x;
  const Size size = {x.size(2), x.size(3)};
  at::Generator generator = make_generator(options.seed, "attribution/rise");
  const at::Tensor baseline = baseline_of(request, options, 0);
  Moments values;
  in_changes(request, own.masks, options, [&](std::int64_t, std::int64_t count) {
    const at::Tensor masks = random_masks(count, size, own, generator)
                                 .to(x.options())
                                 .view({count, 1, 1, size.height, size.width});
    const at::Tensor scores = changed_scores(request, masks * x + (1 - masks) * baseline, options);
    values.add(masks * scores.view({count, -1, 1, 1, 1}) / own.keep);
  });
  return {values.mean().to(x.scalar_type()),
          scores_of(request.classifier, x, request.target, options.score, options.batch),
          {},
          values.standard_error().to(x.scalar_type())};
}

}  // namespace whence::attribution
