#include "nn/kernels/product_convolution.h"

#include <limits>

#include "core/compatibility.h"
#include "nn/kernels/bf16_products.h"

namespace whence::nn {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;

/// What the products do not check themselves.
void check(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t inputs,
           std::int64_t outputs, at::IntArrayRef sizes) {
  TORCH_CHECK(x.dim() == 4 && weight.dim() == 4 && x.size(1) == inputs && outputs > 0, "a convolution of ",
              x.sizes(), " by a weight of ", weight.sizes());
  TORCH_CHECK(!bias.defined() || bias.numel() == outputs, "a bias of ", bias.numel(), " for ", outputs,
              " channels");
  TORCH_CHECK(sizes[2] > 0 && sizes[3] > 0, "a convolution of ", x.sizes(), " has no output pixel");
}

/// A convolution or its transpose; each is the other's gradient in the input.
struct Geometry {
  std::int64_t kernel, stride, padding;
  bool transposed;

  Patches patches(at::IntArrayRef x, at::IntArrayRef output) const {
    const auto make = transposed ? transposed_patches : convolution_patches;
    return make(x, output[1], output.slice(2), kernel, stride, padding);
  }
  Geometry gradient() const { return {kernel, stride, padding, !transposed}; }
};

Tensor channels_last(const Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

Tensor empty_image(at::IntArrayRef sizes, at::ScalarType type) {
  return at::empty(sizes, at::TensorOptions(type), at::MemoryFormat::ChannelsLast);
}

BiasGradient pass_back(const Tensor& gradient, const Tensor& output, bool of_bias) {
  return of_bias || output.defined() ? bf16::pass_back_bias(gradient, output) : BiasGradient{gradient, {}};
}

std::vector<std::int64_t> output_sizes(at::IntArrayRef x, const Conv2d& op) {
  const auto side = [&](std::int64_t size) {
    const std::int64_t room = size + 2 * op.padding.height - op.kernel.height;
    return room < 0 ? 0 : room / op.stride.height + 1;
  };
  return {x[0], op.channels, side(x[2]), side(x[3])};
}

/// Functions of LibTorch 1.13 take no undefined tensors.
Tensor or_empty(const Tensor& bias) { return bias.defined() ? bias : at::empty({0}, at::kFloat); }

/// Transposed patches want kernels whose side is a multiple of the stride.
Tensor padded_kernel(const Tensor& weight, std::int64_t stride) {
  const std::int64_t missing = (stride - weight.size(2) % stride) % stride;
  return missing == 0 ? weight : at::constant_pad_nd(weight, {0, missing, 0, missing});
}

void run(const Geometry& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias, float floor,
         const Tensor& output) {
  const Patches patches = geometry.patches(x.sizes(), output.sizes());
  const Tensor plain = weight.to(at::kFloat);
  const Tensor kernel =
      bf16::pack_kernel(patches, geometry.transposed ? padded_kernel(plain, geometry.stride) : plain);
  bf16::multiply_patches(patches, x, kernel, bias.to(at::kFloat).contiguous(), floor, output);
}

class ProductConvolution : public torch::autograd::Function<ProductConvolution> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Geometry& geometry, const std::vector<std::int64_t>& output_sizes, bool relu) {
    const Tensor input = channels_last(x);
    const Tensor output = empty_image(output_sizes, x.scalar_type());
    constexpr float none = -std::numeric_limits<float>::infinity();
    run(geometry, input, weight, bias, relu ? 0 : none, output);

    context->saved_data["kernel"] = geometry.kernel;
    context->saved_data["stride"] = geometry.stride;
    context->saved_data["padding"] = geometry.padding;
    context->saved_data["transposed"] = geometry.transposed;
    context->saved_data["input"] = x.sizes();
    context->saved_data["of_input"] = x.requires_grad();
    context->saved_data["of_weight"] = weight.requires_grad();
    context->saved_data["of_bias"] = bias.requires_grad();
    context->save_for_backward({weight.requires_grad() ? input : Tensor(), weight, relu ? output : Tensor()});
    return output;
  }

  static torch::autograd::variable_list backward(AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "these convolutions have no second derivatives");
    auto& saved = context->saved_data;
    const Geometry geometry{saved["kernel"].toInt(), saved["stride"].toInt(), saved["padding"].toInt(),
                            saved["transposed"].toBool()};
    const torch::autograd::variable_list tensors = context->get_saved_variables();
    const Tensor &input = tensors[0], &weight = tensors[1], &output = tensors[2];
    const Tensor whole = channels_last(gradients[0]);
    const bool of_bias = saved["of_bias"].toBool();
    const auto [gradient, sum] = pass_back(whole, output, of_bias);

    Tensor of_input, of_weight;
    if (saved["of_input"].toBool()) {
      of_input = empty_image(saved["input"].toIntVector(), gradient.scalar_type());
      constexpr float none = -std::numeric_limits<float>::infinity();
      run(geometry.gradient(), gradient, weight, or_empty({}), none, of_input);
    }
    if (saved["of_weight"].toBool()) of_weight = weight_gradient(geometry, input, gradient, weight);
    return {of_input, of_weight, of_bias ? sum : Tensor(), {}, {}, {}};
  }

 private:
  static Tensor weight_gradient(const Geometry& geometry, const Tensor& input, const Tensor& gradient,
                                const Tensor& weight) {
    const Patches patches = geometry.patches(input.sizes(), gradient.sizes());
    const Tensor whole = geometry.transposed ? padded_kernel(weight, geometry.stride) : weight;
    const Tensor result = at::empty_like(whole, at::kFloat);
    bf16::multiply_transposed_patches(patches, input, gradient, result);
    return result.narrow(2, 0, weight.size(2)).narrow(3, 0, weight.size(3)).to(weight.scalar_type());
  }
};

}  // namespace

at::Tensor product_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                               const Conv2d& op, bool relu) {
  TORCH_CHECK(op.groups == 1 && op.kernel.square() && op.stride.square() && op.padding.square() &&
                  op.dilation == Extent(1),
              "products convolve with square kernels and all channels at once");
  const std::vector<std::int64_t> sizes = output_sizes(x.sizes(), op);
  check(x, weight, bias, weight.size(1), weight.size(0), sizes);
  return ProductConvolution::apply(x, weight, or_empty(bias),
                                   Geometry{op.kernel.height, op.stride.height, op.padding.height, false},
                                   sizes, relu);
}

at::Tensor product_transposed_convolution(const at::Tensor& x, const at::Tensor& weight,
                                          const at::Tensor& bias, const ConvTranspose2d& op, bool relu) {
  const auto output = [&](std::int64_t size) {
    return (size - 1) * op.stride - 2 * op.padding + op.kernel + op.output_padding;
  };
  const std::vector<std::int64_t> sizes = {x.size(0), op.channels, output(x.size(2)), output(x.size(3))};
  check(x, weight, bias, weight.size(0), weight.size(1), sizes);
  return ProductConvolution::apply(x, weight, or_empty(bias),
                                   Geometry{op.kernel, op.stride, op.padding, true}, sizes, relu);
}

}  // namespace whence::nn
