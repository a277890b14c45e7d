#include "nn/ops/convolution.h"

#include "nn/kernels/kernels.h"
#include "nn/kernels/product_convolution.h"
#include "nn/kernels/product_units.h"
#include "nn/ops/subpixel.h"

namespace whence::nn {
namespace {

bool products_run_here(const at::Tensor& x, KernelFamily family) {
  return x.is_cpu() && x.scalar_type() == at::kBFloat16 && uses(family) && has_bf16_products();
}

at::Tensor like(const at::Tensor& x, const at::Tensor& parameter) {
  return parameter.defined() ? parameter.to(x.scalar_type()) : parameter;
}

/// What the products know: square windows, all channels at once.
bool is_plain(const Conv2d& op) {
  return op.groups == 1 && op.dilation == Extent(1) && op.kernel.square() && op.stride.square() &&
         op.padding.square();
}

at::Tensor activated(at::Tensor x, bool relu) { return relu ? at::relu_(x) : x; }

at::Tensor laid_channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

}  // namespace

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const Conv2d& op, bool relu) {
  if (products_run_here(x, KernelFamily::bf16_convolution) && is_plain(op))
    return product_convolution(x, weight, bias, op, relu);
  // A channels-last weight makes LibTorch compute channels-last, also for one-channel inputs that are both.
  return activated(at::conv2d(laid_channels_last(x), laid_channels_last(like(x, weight)), like(x, bias),
                              op.stride.sizes(), op.padding.sizes(), op.dilation.sizes(), op.groups),
                   relu);
}

at::Tensor transposed_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                  const ConvTranspose2d& op, bool relu) {
  if (products_run_here(x, KernelFamily::bf16_transposed_convolution))
    return product_transposed_convolution(x, weight, bias, op, relu);
  if (!uses(KernelFamily::subpixel)) {
    return activated(at::conv_transpose2d(laid_channels_last(x), laid_channels_last(like(x, weight)),
                                          like(x, bias), op.stride, op.padding, op.output_padding),
                     relu);
  }
  const at::Tensor y = subpixel_convolution(x, like(x, weight), like(x, bias), op);
  return relu ? at::relu(y) : y;  // a view, which in-place operations copy
}

}  // namespace whence::nn
