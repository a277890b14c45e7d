#include "models/text/gradients.h"

namespace whence::models {

void descend(nn::Optimizer& optimizer, const at::Tensor& loss, double learning_rate, double largest) {
  const std::vector<at::Tensor>& parameters = optimizer.parameters();
  std::vector<at::Tensor> gradients =
      torch::autograd::grad({loss}, parameters, {}, /*retain_graph=*/false, /*create_graph=*/false,
                            /*allow_unused=*/true);
  const at::NoGradGuard no_gradients;
  at::Tensor squares = at::zeros({}, loss.options());
  for (const at::Tensor& gradient : gradients)
    if (gradient.defined()) squares = squares + gradient.square().sum();
  const at::Tensor factor = (largest / squares.sqrt().clamp_min(1e-12)).clamp_max(1);
  for (at::Tensor& gradient : gradients)
    if (gradient.defined()) gradient = gradient * factor;
  optimizer.set_gradients({gradients});
  optimizer.step(learning_rate);
}

}  // namespace whence::models
