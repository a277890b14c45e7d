#include "nn/graph/execute.h"

#include <ATen/record_function.h>

#include "nn/ops/convolution.h"

namespace whence::nn {
namespace {

struct Call {
  const Layer& layer;
  const std::vector<at::Tensor>& inputs;
  const Execution& execution;
  bool relu;  ///< behind a convolution or batch normalisation, in front of a maximum pooling

  const at::Tensor& x() const { return inputs.front(); }
  at::Tensor learned(std::size_t i) const {
    return i < layer.parameters.size() ? layer.parameters[i].tensor : at::Tensor();
  }
  /// In the input's format; a copy only where the formats differ.
  at::Tensor like_x(std::size_t i) const {
    const at::Tensor parameter = learned(i);
    return parameter.defined() ? parameter.to(x().scalar_type()) : parameter;
  }
};

at::Tensor run(const Conv2d& op, const Call& call) {
  return convolution(call.x(), call.learned(0), call.learned(1), op, call.relu);
}

at::Tensor run(const ConvTranspose2d& op, const Call& call) {
  return transposed_convolution(call.x(), call.learned(0), call.learned(1), op, call.relu);
}

at::Tensor run(const Linear&, const Call& call) {
  return at::linear(call.x(), call.like_x(0), call.like_x(1));
}

/// BatchNorm1d or BatchNorm2d.
template <class Norm>
at::Tensor normalised(const Norm& op, const Call& call) {
  const NamedTensors& running = call.layer.buffers;
  at::Tensor y = at::batch_norm(call.x(), call.learned(0), call.learned(1), running[0].tensor,
                                running[1].tensor, call.execution.training, op.momentum, op.epsilon, false);
  return call.relu ? at::relu_(y) : y;
}
at::Tensor run(const BatchNorm2d& op, const Call& call) { return normalised(op, call); }
at::Tensor run(const BatchNorm1d& op, const Call& call) { return normalised(op, call); }

/// In float32, whatever the input's format.
at::Tensor run(const ScaleShift&, const Call& call) {
  const NamedTensors& constants = call.layer.buffers;
  return (call.x() * constants[0].tensor + constants[1].tensor).to(call.x().scalar_type());
}

at::Tensor run(const Relu&, const Call& call) { return at::relu(call.x()); }
at::Tensor run(const LeakyRelu& op, const Call& call) { return at::leaky_relu(call.x(), op.slope); }
at::Tensor run(const Sigmoid&, const Call& call) { return at::sigmoid(call.x()); }
at::Tensor run(const Tanh&, const Call& call) { return at::tanh(call.x()); }
at::Tensor run(const Softmax&, const Call& call) { return at::softmax(call.x(), 1); }
at::Tensor run(const LogSoftmax&, const Call& call) { return at::log_softmax(call.x(), 1); }

/// The ReLU of the maxima is the maximum of the ReLUs, and there are fewer of them.
at::Tensor run(const MaxPool2d& op, const Call& call) {
  at::Tensor largest = at::max_pool2d(call.x(), op.kernel, op.stride, op.padding);
  return call.relu ? at::relu_(largest) : largest;
}
at::Tensor run(const AvgPool2d& op, const Call& call) {
  return at::avg_pool2d(call.x(), op.kernel, op.stride, op.padding);
}
at::Tensor run(const GlobalAvgPool2d&, const Call& call) { return at::mean(call.x(), {2, 3}, true); }

/// Zeroes what a mask of `sizes` (broadcast over x) drops, and scales the rest so that the mean stays.
at::Tensor drop(const Call& call, double probability, at::IntArrayRef sizes) {
  if (!call.execution.training || probability == 0) return call.x();
  if (probability == 1) return at::zeros_like(call.x());
  TORCH_CHECK(call.execution.dropout != nullptr, "layer ", call.layer.name, ": dropout needs a generator");
  const at::Tensor kept = at::empty(sizes, call.x().options().device(at::kCPU))  // where its generator draws
                              .bernoulli_(1 - probability, *call.execution.dropout)
                              .to(call.x().device());
  return call.x().mul(kept).mul(1 / (1 - probability));
}
at::Tensor run(const Dropout& op, const Call& call) { return drop(call, op.probability, call.x().sizes()); }
at::Tensor run(const Dropout2d& op, const Call& call) {
  return drop(call, op.probability, {call.x().size(0), call.x().size(1), 1, 1});
}

at::Tensor run(const Flatten&, const Call& call) { return call.x().flatten(1); }
at::Tensor run(const Reshape& op, const Call& call) {
  Shape sizes = {call.x().size(0)};
  sizes.insert(sizes.end(), op.shape.begin(), op.shape.end());
  return call.x().reshape(sizes);
}
at::Tensor run(const ZeroPad2d& op, const Call& call) {
  return at::constant_pad_nd(call.x(), {op.left, op.right, op.top, op.bottom});
}

at::Tensor run(const UpsampleNearest2d& op, const Call& call) {
  return at::upsample_nearest2d(call.x(), {call.x().size(2) * op.factor, call.x().size(3) * op.factor});
}

at::Tensor run(const Add&, const Call& call) {
  at::Tensor sum = call.x();
  for (std::size_t i = 1; i < call.inputs.size(); ++i) sum = sum + call.inputs[i];
  return sum;
}
at::Tensor run(const Concat&, const Call& call) { return at::cat(call.inputs, 1); }

at::Tensor run(const Input&, const Call& call) { return call.x(); }

}  // namespace

bool is_heavy(const Op& op) {
  return std::holds_alternative<Conv2d>(op) || std::holds_alternative<ConvTranspose2d>(op) ||
         std::holds_alternative<Linear>(op);
}

bool runs_in_bfloat16(const Op& op, Precision precision, bool last) {
  return precision == Precision::bfloat16 && is_heavy(op) && !(last && std::holds_alternative<Linear>(op));
}

std::vector<bool> ends_of_paths(const std::vector<Layer>& layers) {
  std::vector<bool> last(layers.size(), true);
  for (LayerId id = layers.size(); id-- > 0;) {
    if (last[id] && !is_heavy(layers[id].op)) continue;
    for (const LayerId input : layers[id].inputs) last[input] = false;
  }
  return last;
}

at::Tensor execute(const Layer& layer, std::vector<at::Tensor> inputs, const Execution& execution, bool last,
                   bool relu) {
  RECORD_USER_SCOPE(layer.name);
  const bool narrow = runs_in_bfloat16(layer.op, execution.precision, last);
  for (at::Tensor& input : inputs) {
    if (narrow) {
      input = input.to(at::kBFloat16);
    } else if ((last || is_heavy(layer.op)) && input.scalar_type() == at::kBFloat16) {
      input = input.to(at::kFloat);
    }
  }
  return std::visit([&](const auto& op) { return run(op, Call{layer, inputs, execution, relu}); }, layer.op);
}

}  // namespace whence::nn
