#include "models/train/spectral_norm.h"

#include "whence/platform/device.h"

namespace whence::models {
namespace {

constexpr int kFirstIterations = 20;

at::Tensor unit(const at::Tensor& vector) { return vector / vector.norm().clamp_min(1e-12); }

}  // namespace

SpectralNorm::SpectralNorm(const nn::Network& network, Generator& generator)
    : originals_(network.parameters()), copy_(network.clone(network.name() + "-normalised")) {
  copy_.require_gradients(true);
  copies_ = copy_.parameters();
  singular_.resize(originals_.size());
  for (std::size_t i = 0; i < originals_.size(); ++i) {
    const at::Tensor& weight = originals_[i].tensor;
    if (weight.dim() < 2) continue;
    singular_[i].left = unit(at::randn({weight.size(0)}, generator, draws_of(generator))).to(weight.device());
  }
  for (int i = 0; i < kFirstIterations; ++i) update();
}

void SpectralNorm::update() {
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < originals_.size(); ++i) {
    const at::Tensor& weight = originals_[i].tensor;
    Singular& own = singular_[i];
    if (!own.left.defined()) {
      copies_[i].tensor.copy_(weight);
      continue;
    }
    const at::Tensor matrix = weight.flatten(1);
    own.right = unit(at::mv(matrix.t(), own.left));
    const at::Tensor image = at::mv(matrix, own.right);
    own.left.copy_(unit(image));
    own.value = at::dot(own.left, image);
    copies_[i].tensor.copy_(weight / own.value);
  }
}

std::vector<at::Tensor> SpectralNorm::pulled_back(const std::vector<at::Tensor>& gradients) const {
  std::vector<at::Tensor> all;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Singular& own = singular_[i];
    if (!own.left.defined()) {
      all.push_back(gradients[i]);
      continue;
    }
    const at::Tensor along = (gradients[i] * copies_[i].tensor.detach()).sum();
    const at::Tensor direction = at::outer(own.left, own.right).view_as(gradients[i]);
    all.push_back((gradients[i] - along * direction) / own.value);
  }
  return all;
}

nn::NamedTensors SpectralNorm::state() const {
  nn::NamedTensors state;
  for (std::size_t i = 0; i < singular_.size(); ++i)
    if (singular_[i].left.defined()) state.push_back({"spectral." + originals_[i].name, singular_[i].left});
  return state;
}

}  // namespace whence::models
