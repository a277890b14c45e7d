#include "nn/ops/convolution.h"

#include "nn/kernels/product_convolution.h"
#include "nn/kernels/product_units.h"
#include "nn/ops/subpixel.h"
#include "whence/platform/processor.h"

namespace whence::nn {
namespace {

bool products_run_here(const at::Tensor& x) {
  if (x.scalar_type() == at::kBFloat16) return has_bf16_products();
  return x.scalar_type() == at::kFloat && has_f32_products();
}

/// In float32 LibTorch is as fast on AVX-512 at what leaves out no taps (bench/README.md).
bool products_are_faster(const at::Tensor& x, const Conv2d& op) {
  return x.scalar_type() == at::kBFloat16 || !has_avx512() || (x.dim() == 4 && wastes_taps(x.sizes(), op));
}

at::Tensor like(const at::Tensor& x, const at::Tensor& parameter) {
  return parameter.defined() ? parameter.to(x.scalar_type()) : parameter;
}

at::Tensor activated(const at::Tensor& x, bool relu) { return relu ? at::relu(x) : x; }

}  // namespace

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const Conv2d& op, bool relu) {
  if (products_run_here(x) && products_are_faster(x, op))
    return product_convolution(x, weight, bias, op, relu);
  // A channels-last weight makes LibTorch compute channels-last, also for one-channel inputs that are both.
  return activated(at::conv2d(x.contiguous(at::MemoryFormat::ChannelsLast),
                              like(x, weight).contiguous(at::MemoryFormat::ChannelsLast), like(x, bias),
                              op.stride, op.padding),
                   relu);
}

at::Tensor transposed_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                  const ConvTranspose2d& op, bool relu) {
  if (products_run_here(x)) return product_transposed_convolution(x, weight, bias, op, relu);
  return activated(subpixel_convolution(x, like(x, weight), like(x, bias), op), relu);
}

}  // namespace whence::nn
