#include "nn/ops/bf16_linear.h"

#include "core/compatibility.h"
#include "nn/kernels/bf16_linear_product.h"

namespace whence::nn {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;

class Bf16Linear : public torch::autograd::Function<Bf16Linear> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const Tensor input = x.contiguous(), own = weight.contiguous();
    const Tensor output = at::empty({x.size(0), weight.size(0)}, at::kBFloat16);
    multiply_by_weight(input, own, bias.to(at::kFloat).contiguous(), output);
    context->saved_data["of_input"] = x.requires_grad();
    context->saved_data["of_weight"] = weight.requires_grad();
    context->saved_data["of_bias"] = bias.requires_grad();
    context->save_for_backward({weight.requires_grad() ? input : Tensor(), own, bias});
    return output;
  }

  static torch::autograd::variable_list backward(AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "these bfloat16 linear layers have no second derivatives");
    auto& saved = context->saved_data;
    const torch::autograd::variable_list tensors = context->get_saved_variables();
    const Tensor &input = tensors[0], &weight = tensors[1], &bias = tensors[2];
    const Tensor gradient = gradients[0].to(at::kBFloat16).contiguous();
    Tensor of_input, of_weight, of_bias;
    if (saved["of_input"].toBool()) {
      of_input = at::empty({gradient.size(0), weight.size(1)}, at::kBFloat16);
      multiply_back(gradient, weight, of_input);
    }
    if (saved["of_weight"].toBool()) {
      of_weight = at::empty(weight.sizes(), at::kFloat);
      multiply_for_weight(gradient, input, of_weight);
      of_weight = of_weight.to(weight.scalar_type());
    }
    if (saved["of_bias"].toBool()) of_bias = gradient.sum(0, false, at::kFloat).to(bias.scalar_type());
    return {of_input, of_weight, of_bias};
  }
};

}  // namespace

at::Tensor bf16_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return Bf16Linear::apply(x, weight, bias.defined() ? bias : at::empty({0}, at::kFloat));
}

}  // namespace whence::nn
