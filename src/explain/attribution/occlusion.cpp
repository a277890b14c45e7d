#include "whence/explain/attribution/occlusion.h"

#include "explain/attribution/passes.h"
#include "explain/attribution/regions.h"

namespace whence::attribution {
namespace {

/// Which of `size` pixels in a row each of the windows covers, (windows, size), float32. The last window is the first one
/// that reaches the end.
at::Tensor covered(std::int64_t size, std::int64_t window, std::int64_t stride,
                   const at::TensorOptions& like) {
  const std::int64_t side = std::min(window, size);
  const std::int64_t windows = 1 + (size - side + stride - 1) / stride;
  const at::TensorOptions& options = like;
  const at::Tensor start = (at::arange(windows, options) * stride).unsqueeze(1),
                   place = at::arange(size, options);
  return (place >= start).logical_and(place < start + side).to(like);
}

}  // namespace

Attribution occlusion(const Request& request, const Options& options) {
  const auto& own = options.of<Occlusion>();
  const at::Tensor& x = request.x;
  const at::Tensor baseline = baseline_of(request, options, own.level);
  const std::int64_t height = x.size(2), width = x.size(3);
  const std::int64_t window = side_of(x, own.window);
  const std::int64_t stride = own.stride > 0 ? own.stride : std::max<std::int64_t>(window / 2, 1);
  const at::Tensor rows = covered(height, window, stride, x.options());
  const at::Tensor columns = covered(width, window, stride, x.options());
  const at::Tensor scores = scores_of(request.classifier, x, request.target, options.score, options.batch);
  at::Tensor sum = at::zeros({x.size(0), height * width}, x.options());
  in_changes(request, rows.size(0) * columns.size(0), options, [&](std::int64_t first, std::int64_t count) {
    const at::Tensor place = at::arange(first, first + count, x.options().dtype(at::kLong));
    const at::Tensor down = rows.index_select(0, place.div(columns.size(0), "floor")),
                     across = columns.index_select(0, place.remainder(columns.size(0)));
    const at::Tensor squares = down.unsqueeze(2) * across.unsqueeze(1);
    const at::Tensor images = at::where(squares.view({count, 1, 1, height, width}) > 0, baseline, x);
    const at::Tensor falls = scores - changed_scores(request, images, options);
    sum += falls.t().mm(squares.flatten(1));
  });
  const at::Tensor times = (rows.sum(0).unsqueeze(1) * columns.sum(0)).clamp_min(1);
  return {sum.view({-1, 1, height, width}) / times, scores, {}, {}};
}

}  // namespace whence::attribution
