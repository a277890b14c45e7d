#include "models/train/adversary.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/platform/device.h"

namespace whence::models {
namespace {

constexpr double kDeviation = 0.02;  ///< of initial weights; Radford et al. 2016, section 3

}  // namespace

at::Tensor discriminator_loss(GanLoss loss, double real_label, const at::Tensor& real,
                              const at::Tensor& fake) {
  if (loss == GanLoss::hinge) return (1 - real).relu().mean() + (1 + fake).relu().mean();
  // -[t log sigmoid(s) + (1 - t) log(1 - sigmoid(s))] = softplus(s) - t s
  return (at::softplus(real) - real_label * real).mean() + at::softplus(fake).mean();
}

at::Tensor generator_loss(GanLoss loss, const at::Tensor& fake) {
  return loss == GanLoss::hinge ? -fake.mean() : at::softplus(-fake).mean();
}

void initialise_adversary(nn::Network& network, Generator& generator) {
  nn::initialise(network, {.convolution_deviation = kDeviation}, generator);
  const at::NoGradGuard no_gradients;
  for (const nn::Layer& layer : network.layers())
    if (std::holds_alternative<nn::Linear>(layer.op))
      for (const nn::NamedTensor& own : layer.parameters)
        own.tensor.copy_(own.tensor.dim() < 2
                             ? at::zeros_like(own.tensor)
                             : (kDeviation * at::randn(own.tensor.sizes(), generator, draws_of(generator)))
                                   .to(own.tensor.device()));
}

void move_average(nn::Network& average, const nn::Network& now, double keep) {
  const at::NoGradGuard no_gradients;
  const nn::NamedTensors values = now.state(), averages = average.state();
  for (std::size_t i = 0; i < values.size(); ++i) averages[i].tensor.lerp_(values[i].tensor, 1 - keep);
}

TrainedDiscriminator::TrainedDiscriminator(nn::Network& network, Generator* spectral, nn::Adam rule)
    : network_(network), optimizer_({&network}, rule) {
  if (spectral != nullptr) spectral_.emplace(network, *spectral);
}

void TrainedDiscriminator::prepare() {
  if (spectral_) spectral_->update();
}

std::vector<at::Tensor> TrainedDiscriminator::gradients(const at::Tensor& loss) const {
  std::vector<at::Tensor> parameters;
  for (const nn::NamedTensor& parameter : judge().parameters()) parameters.push_back(parameter.tensor);
  return torch::autograd::grad({loss}, parameters);
}

void TrainedDiscriminator::step(std::vector<std::vector<at::Tensor>> gradients, double learning_rate) {
  if (spectral_)
    for (std::vector<at::Tensor>& part : gradients) part = spectral_->pulled_back(part);
  optimizer_.set_gradients(gradients);
  optimizer_.step(learning_rate);
  prepare();
}

}  // namespace whence::models
