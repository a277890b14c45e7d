// Batch normalisation of images and of features, layer normalisation, and constant scales and shifts.
#include "nn/graph/shapes.h"
#include "nn/ops/batch_statistics.h"
#include "nn/ops/learned_tensors.h"
#include "nn/ops/operation_row.h"

namespace whence::nn {
namespace {

/// (C) -> (1, C, 1, ...), to be broadcast over x.
at::Tensor over_channels(const at::Tensor& tensor, const at::Tensor& x) {
  Shape sizes(static_cast<std::size_t>(x.dim()), 1);
  sizes[1] = tensor.numel();
  return tensor.reshape(sizes);
}

template <class Op>
at::Tensor batch_norm(const Op& op, const LayerCall& call) {
  const NormTensors own{call.learned(0), call.learned(1), call.buffer(0), call.buffer(1)};
  if (call.execution.training && norms_in_parts(call.x()))
    return batch_norm_of_parts(call.x(), own, op.momentum, op.epsilon, call.execution.part);
  return at::batch_norm(call.x(), own.weight, own.bias, own.running_mean, own.running_var,
                        call.execution.training, op.momentum, op.epsilon, false);
}

}  // namespace

/// What batch normalisations of all kinds have in common.
template <class Op>
struct Normalisation : Defaults<Op> {
  static constexpr Passage passage = Passage::scales;
  static constexpr bool mixes_samples = true;

  static Shape checked(const Op& op, const ShapeQuery& query) {
    query.require(op.epsilon >= 0 && op.momentum >= 0 && op.momentum <= 1,
                  "epsilon must be at least 0 and momentum in [0, 1], not {} and {}", op.epsilon,
                  op.momentum);
    return query.input();
  }

  static NamedTensors parameters(const Op&, const Shape& input) {
    return weight_and_bias(at::ones({input[0]}, layer_options()), true, input[0]);
  }
  static NamedTensors buffers(const Op&, const Shape& input) {
    return {{"running_mean", at::zeros({input[0]}, layer_options())},
            {"running_var", at::ones({input[0]}, layer_options())}};
  }

  static void initialise(const Op&, const InitialValues& values) {
    const Layer& layer = values.layer;
    if (values.options.convolution_deviation > 0) {
      fill_normal(values.weight(), 1, values.options.convolution_deviation, values.generator);
    } else {
      values.weight().fill_(1);
    }
    layer.parameters[1].tensor.zero_();
    layer.buffers[0].tensor.zero_();
    layer.buffers[1].tensor.fill_(1);
  }

  static std::string torchscript(const Op& op, const ScriptText& text) {
    return fmt::format("torch.batch_norm({}, {}, {}, {}, {}, False, {}, {}, False)", text.input(),
                       text.tensor("weight"), text.tensor("bias"), text.tensor("running_mean"),
                       text.tensor("running_var"), text.literal(op.momentum), text.literal(op.epsilon));
  }

  /// As weight * x + bias, with the running statistics.
  static LinearTensors linear_tensors(const Op& op, const Layer& layer, const at::Tensor& x) {
    const LinearTensors own = own_linear_tensors(layer, x);
    const at::Tensor mean = layer.buffers[0].tensor.to(x.scalar_type());
    const at::Tensor variance = layer.buffers[1].tensor.to(x.scalar_type());
    const at::Tensor scale = own.weight / (variance + op.epsilon).sqrt();
    return {over_channels(scale, x), over_channels(own.bias - mean * scale, x)};
  }
};

template <>
struct Traits<BatchNorm2d> : Normalisation<BatchNorm2d> {
  static constexpr std::string_view name = "BatchNorm2d";
  static constexpr ReluMerge relu = ReluMerge::behind;

  static Shape shape(const BatchNorm2d& op, const ShapeQuery& query) {
    query.require_image();
    return checked(op, query);
  }
  static at::Tensor forward(const BatchNorm2d& op, const LayerCall& call) {
    at::Tensor y = batch_norm(op, call);
    return call.relu ? at::relu_(y) : y;
  }
};
template struct Row<BatchNorm2d>;

template <>
struct Traits<BatchNorm1d> : Normalisation<BatchNorm1d> {
  static constexpr std::string_view name = "BatchNorm1d";

  static Shape shape(const BatchNorm1d& op, const ShapeQuery& query) {
    query.require(query.input().size() == 1, "needs an input of features without height and width, not {}",
                  text_of(query.input()));
    return checked(op, query);
  }
  static at::Tensor forward(const BatchNorm1d& op, const LayerCall& call) { return batch_norm(op, call); }
};
template struct Row<BatchNorm1d>;

/// Relevance passes it unchanged, as it passes an activation.
template <>
struct Traits<LayerNorm> : Defaults<LayerNorm> {
  static constexpr std::string_view name = "LayerNorm";
  static constexpr Passage passage = Passage::activates;

  static Shape shape(const LayerNorm& op, const ShapeQuery& query) {
    query.require(op.epsilon >= 0, "epsilon must be at least 0, not {}", op.epsilon);
    return query.input();
  }
  static NamedTensors parameters(const LayerNorm&, const Shape& input) {
    return weight_and_bias(at::ones({input.back()}, layer_options()), true, input.back());
  }
  static void initialise(const LayerNorm&, const InitialValues& values) {
    values.weight().fill_(1);
    values.layer.parameters[1].tensor.zero_();
  }
  static at::Tensor forward(const LayerNorm& op, const LayerCall& call) {
    return at::layer_norm(call.x(), call.x().sizes().back(), call.like_x(0), call.like_x(1), op.epsilon);
  }
  static std::string torchscript(const LayerNorm& op, const ScriptText& text) {
    return fmt::format("torch.layer_norm({}, [{}], {}, {}, {})", text.input(), text.layer.shape.back(),
                       text.tensor("weight"), text.tensor("bias"), text.literal(op.epsilon));
  }
};
template struct Row<LayerNorm>;

template <>
struct Traits<ScaleShift> : Defaults<ScaleShift> {
  static constexpr std::string_view name = "ScaleShift";
  static constexpr Passage passage = Passage::scales;

  static NamedTensors buffers(const ScaleShift&, const Shape& input) {
    Shape by_channel(input.size(), 1);
    by_channel[0] = input[0];
    return {{"scale", at::ones(by_channel, layer_options())},
            {"shift", at::zeros(by_channel, layer_options())}};
  }
  /// In float32, for any format of the input.
  static at::Tensor forward(const ScaleShift&, const LayerCall& call) {
    return (call.x() * call.buffer(0) + call.buffer(1)).to(call.x().scalar_type());
  }
  static std::string torchscript(const ScaleShift&, const ScriptText& text) {
    return fmt::format("{} * {} + {}", text.input(), text.tensor("scale"), text.tensor("shift"));
  }
  static LinearTensors linear_tensors(const ScaleShift&, const Layer& layer, const at::Tensor& x) {
    return {layer.buffers[0].tensor.to(x.scalar_type()), layer.buffers[1].tensor.to(x.scalar_type())};
  }
};
template struct Row<ScaleShift>;

}  // namespace whence::nn
