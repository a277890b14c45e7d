#include "whence/explain/modularity/realism.h"

#include <algorithm>

namespace whence::modularity {
namespace {

Measured mean_of_images(const std::vector<at::Tensor>& errors) {
  if (errors.empty()) return {};
  const at::Tensor all = at::cat(errors);
  const auto images = static_cast<double>(all.size(0));
  return {all.mean().item<double>(), images < 2 ? 0 : all.std().item<double>() / std::sqrt(images)};
}

SetDistance distance_of(const at::Tensor& set, const at::Tensor& real, const at::Tensor& samples) {
  SetDistance distance;
  if (real.defined()) distance.to_real = models::frechet_distance(set, real);
  distance.to_samples = models::frechet_distance(set, samples);
  return distance;
}

}  // namespace

at::Tensor ReencodingSums::errors(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  const at::Tensor again = decoder_.decode(encoder_.encode(images).mean);
  return (again - images).square().flatten(1).sum(1, false, at::kDouble).to(at::kCPU);
}

void ReencodingSums::add(const SwappedImages& images) {
  // Each batch of pairs comes once for each module and swap; its originals count once.
  if (images.is_first_of_batch) originals_.push_back(errors(images.first));
  swaps_[static_cast<std::size_t>(images.swap)].push_back(errors(images.images));
}

Reencoding ReencodingSums::result() const {
  Reencoding result{mean_of_images(originals_), {}};
  for (std::size_t i = 0; i < swaps_.size(); ++i) result.swaps[i] = mean_of_images(swaps_[i]);
  return result;
}

DistanceSums::DistanceSums(const models::Features& features, const Modules& modules) : features_(features) {
  for (std::int64_t m = 0; m < modules.rank(); ++m)
    if (!modules.channels_of(m).empty()) turns_.push_back(m);
}

void DistanceSums::add(const SwappedImages& images) {
  if (images.is_first_of_batch) {
    first_ = next_;
    next_ += images.first.size(0);
    seen_.clear();
    originals_.push_back(features_.of(images.first));
  }
  // Of several sets of random channels, the first is enough.
  if (!seen_.insert({images.module, images.swap}).second) return;
  const auto turn = std::find(turns_.begin(), turns_.end(), images.module) - turns_.begin();
  const at::Tensor pairs = at::arange(first_, next_, images.images.options().dtype(at::kLong));
  const at::Tensor rows = (pairs.remainder(std::ssize(turns_)) == turn).nonzero().squeeze(1);
  if (rows.numel() == 0) return;
  swaps_[static_cast<std::size_t>(images.swap)].push_back(features_.of(images.images.index_select(0, rows)));
}

SetDistances DistanceSums::result(const at::Tensor& real, const at::Tensor& samples) const {
  const at::Tensor known =
      real.defined() ? features_.of(real.narrow(0, 0, std::min(real.size(0), next_))) : real;
  const at::Tensor own = features_.of(samples);
  SetDistances result{
      .images = next_, .originals = distance_of(at::cat(originals_), known, own), .swaps = {}};
  for (std::size_t i = 0; i < swaps_.size(); ++i)
    if (!swaps_[i].empty()) result.swaps[i] = distance_of(at::cat(swaps_[i]), known, own);
  return result;
}

}  // namespace whence::modularity
