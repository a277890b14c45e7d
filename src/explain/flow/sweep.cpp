#include "whence/explain/flow/sweep.h"

#include "explain/flow/classify.h"
#include "whence/core/error.h"

namespace whence::flow {

Sweep sweep(const models::Decoder& decoder, const models::Classifier& classifier, const at::Tensor& codes,
            std::int64_t factor, const std::vector<double>& values) {
  TORCH_CHECK(codes.dim() == 2 && codes.size(0) > 0 && codes.size(1) == decoder.latents(),
              "codes must be (n, ", decoder.latents(), "), got ", codes.sizes());
  if (factor < 0 || factor >= decoder.latents())
    fail_usage("there is no latent factor {} to sweep; the decoder has {}, numbered from 0", factor,
               decoder.latents());
  if (values.empty()) fail_usage("a sweep needs at least one value to add to the factor");

  const at::NoGradGuard no_grad;
  const auto steps = static_cast<std::int64_t>(values.size());
  at::Tensor moved =
      codes.to(decoder.device(), at::kFloat).unsqueeze(1).repeat({1, steps, 1});  // (n, steps, D)
  moved.select(2, factor).add_(at::tensor(values, moved.options().dtype(at::kDouble)).to(at::kFloat));
  const at::Tensor z = moved.flatten(0, 1);

  std::vector<at::Tensor> images, probabilities;
  for_batches(z.size(0), kBatch, [&](std::int64_t first, std::int64_t count) {
    images.push_back(decoder.decode(z.narrow(0, first, count)));
    probabilities.push_back(probabilities_of(classifier, images.back()));
  });
  const auto by_sample = [&](const std::vector<at::Tensor>& rows) {
    const at::Tensor all = at::cat(rows).to(at::kFloat).contiguous();
    std::vector<std::int64_t> shape = all.sizes().vec();
    shape.front() = steps;
    shape.insert(shape.begin(), codes.size(0));
    return all.view(shape);
  };
  return {factor, values, by_sample(images), by_sample(probabilities)};
}

std::vector<double> even_steps(double first, double last, std::int64_t steps) {
  if (steps < 1) fail_usage("a sweep needs at least 1 step, not {}", steps);
  if (!std::isfinite(first) || !std::isfinite(last))
    fail_usage("a sweep must go from one finite number to another, not from {} to {}", first, last);
  std::vector<double> values{first};
  for (std::int64_t i = 1; i < steps; ++i)
    values.push_back(first + (last - first) * static_cast<double>(i) / static_cast<double>(steps - 1));
  if (steps > 1) values.back() = last;
  return values;
}

}  // namespace whence::flow
