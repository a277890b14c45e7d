#include "models/text/gradients.h"

namespace whence::models {

void descend(nn::Optimizer& optimizer, const at::Tensor& loss, double learning_rate, double largest) {
  descend(std::vector<nn::Optimizer*>{&optimizer}, loss, learning_rate, largest);
}

void descend(const std::vector<nn::Optimizer*>& optimizers, const at::Tensor& loss, double learning_rate,
             double largest) {
  std::vector<at::Tensor> parameters;
  for (const nn::Optimizer* optimizer : optimizers)
    parameters.insert(parameters.end(), optimizer->parameters().begin(), optimizer->parameters().end());
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
  auto first = gradients.begin();
  for (nn::Optimizer* optimizer : optimizers) {
    const auto end = first + std::ssize(optimizer->parameters());
    optimizer->set_gradients({std::vector<at::Tensor>(first, end)});
    optimizer->step(learning_rate);
    first = end;
  }
}

}  // namespace whence::models
