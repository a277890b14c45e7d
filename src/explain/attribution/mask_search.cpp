#include "explain/attribution/mask_search.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/nn/training/adam.h"
#include "whence/platform/interrupt.h"

namespace whence::attribution {

at::Tensor least_cost(const at::Tensor& start, std::int64_t iterations, double rate, const MaskCost& cost) {
  at::Tensor values = start;
  nn::AdamSearch adam(start);
  for (std::int64_t step = 0; step < iterations; ++step) {
    throw_if_interrupted();
    const at::Tensor gradient = [&] {
      const at::AutoGradMode with_gradients(true);
      const at::Tensor leaf = values.detach().clone().requires_grad_();
      const at::Tensor total = cost(leaf, step).sum();
      return torch::autograd::grad({total}, {leaf}).front();
    }();
    values = adam.moved(values, gradient, rate).clamp_(0, 1);
  }
  return values;
}

Attribution searched_masks(const Request& request, const Options& options,
                           const std::function<at::Tensor(std::int64_t first, std::int64_t count)>& search) {
  const at::Tensor& x = request.x;
  const at::Tensor masks = at::empty({x.size(0), 1, x.size(2), x.size(3)}, x.options());
  in_passes(request.classifier, x.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    masks.narrow(0, first, count).copy_(search(first, count));
  });
  return {masks, scores_of(request.classifier, x, request.target, options.score, options.batch), {}, {}};
}

}  // namespace whence::attribution
