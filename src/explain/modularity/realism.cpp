#include "whence/explain/modularity/realism.h"

namespace whence::modularity {
namespace {

Measured mean_of_images(const std::vector<at::Tensor>& errors) {
  if (errors.empty()) return {};
  const at::Tensor all = at::cat(errors);
  const auto images = static_cast<double>(all.size(0));
  return {all.mean().item<double>(), images < 2 ? 0 : all.std().item<double>() / std::sqrt(images)};
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

}  // namespace whence::modularity
