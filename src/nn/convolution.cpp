#include "nn/convolution.h"

#include "nn/bf16_convolution.h"
#include "nn/bf16_unit.h"
#include "nn/subpixel.h"

namespace whence::nn {
namespace {

bool runs_here(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16 && has_bf16_products(); }

at::Tensor like(const at::Tensor& x, const at::Tensor& parameter) {
  return parameter.defined() ? parameter.to(x.scalar_type()) : parameter;
}

at::Tensor activated(const at::Tensor& x, bool relu) { return relu ? at::relu(x) : x; }

}  // namespace

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const Conv2d& op, bool relu) {
  if (runs_here(x)) return bf16_convolution(x, weight, bias, op, relu);
  // A channels-last weight makes LibTorch compute channels-last, also for one-channel inputs that are both.
  return activated(at::conv2d(x.contiguous(at::MemoryFormat::ChannelsLast),
                              like(x, weight).contiguous(at::MemoryFormat::ChannelsLast), like(x, bias),
                              op.stride, op.padding),
                   relu);
}

at::Tensor transposed_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                  const ConvTranspose2d& op, bool relu) {
  if (runs_here(x)) return bf16_transposed_convolution(x, weight, bias, op, relu);
  return activated(subpixel_convolution(x, like(x, weight), like(x, bias), op), relu);
}

}  // namespace whence::nn
