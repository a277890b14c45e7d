// How far images with holes are from the images of the data.
#include "explain/attribution/judgements.h"
#include "explain/attribution/removal.h"
#include "whence/explain/counterfactual/image_model.h"

namespace whence::attribution {
namespace {

/// Places on the curve where images are encoded and decoded.
constexpr std::int64_t kPlaces = 8;

/// Squared error of each image's reconstruction, float64 (N).
at::Tensor errors_of(const counterfactual::ImageModel& model, const at::Tensor& x, std::int64_t batch) {
  std::vector<at::Tensor> errors;
  for (std::int64_t first = 0; first < x.size(0); first += batch) {
    const at::Tensor some = x.narrow(0, first, std::min(batch, x.size(0) - first));
    const at::Tensor again = model.decoder.decode(model.encoder.encode(some).mean);
    errors.push_back((again - some).to(at::kDouble).square().flatten(1).sum(1));
  }
  return at::cat(errors);
}

}  // namespace

at::Tensor departure(const Judged& judged, const PerturbationOptions& options) {
  if (options.generator == nullptr) return {};
  const at::NoGradGuard no_grad;
  const RemovalSteps removed = removal_steps(judged.x, judged.values, options);
  const Removal removal(judged.x, options);
  const at::Tensor whole = errors_of(*options.generator, judged.x, options.batch);
  at::Tensor sum = at::zeros_like(whole);
  for (std::int64_t place = 1; place <= kPlaces; ++place) {
    const std::int64_t step = (removed.count * place + kPlaces - 1) / kPlaces;
    sum += errors_of(*options.generator, removal.without(removed.of_pixel < step), options.batch);
    if (options.progress) options.progress({"removal of regions", place, kPlaces, {}, "places"});
  }
  return sum / static_cast<double>(kPlaces) / whole.mean().clamp_min(1e-300);
}

}  // namespace whence::attribution
