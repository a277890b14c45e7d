#include "interchange/script_arithmetic.h"

namespace whence::nn {
namespace {

/// A constant as one number for each channel of `layer`: it is a single number, or has one for each channel and none for
/// rows and columns.
at::Tensor by_channel(OperatorCall& call, LayerId layer, std::string_view argument) {
  const Shape shape = call.network().shape(layer);
  const auto rank = static_cast<std::int64_t>(shape.size());
  at::Tensor values = call.values(argument).to(at::kFloat);
  if (values.numel() == 1) return values.reshape({1}).expand({shape[0]}).clone();
  while (values.dim() > rank && values.size(0) == 1) values = values.squeeze(0);
  call.require(values.dim() == rank && values.size(0) == shape[0] && values.numel() == shape[0],
               "a constant ({}) that is neither a number nor one for each channel", argument);
  return values.reshape({shape[0]}).clone();
}

/// scale * layer + shift, by channel.
LayerId scale_and_shift(OperatorCall& call, LayerId layer, const at::Tensor& scale, const at::Tensor& shift) {
  Shape one_each(call.network().shape(layer).size(), 1);
  one_each[0] = scale.size(0);
  return call.network().add(ScaleShift{}, {layer},
                            {{"scale", scale.view(one_each)}, {"shift", shift.view(one_each)}});
}

/// The bias of a matrix product, in PyTorch's older traces; of anything else a shift.
LayerId add_constant(OperatorCall& call, const char* layer_argument, const char* constant_argument) {
  const LayerId layer = call.layer(layer_argument);
  const auto* linear = std::get_if<Linear>(&call.network().op(layer));
  const at::Tensor constant = call.values(constant_argument);
  const bool is_bias =
      linear != nullptr && !linear->bias && constant.dim() == 1 && constant.size(0) == linear->features;
  if (!is_bias || !call.is_read_once(layer_argument)) {
    const at::Tensor shift = by_channel(call, layer, constant_argument);
    return scale_and_shift(call, layer, at::ones_like(shift), shift);
  }
  call.network().add_bias(layer, constant);
  return layer;
}

/// sign * (layer - constant)
LayerId difference(OperatorCall& call, const char* layer_argument, const char* constant_argument,
                   double sign) {
  call.require(call.number("alpha") == 1, "alpha {}", call.number("alpha"));
  const LayerId layer = call.layer(layer_argument);
  const at::Tensor constant = by_channel(call, layer, constant_argument);
  return scale_and_shift(call, layer, at::full_like(constant, sign), -sign * constant);
}

bool is_from_0_to_1(const Op& op) {
  return std::holds_alternative<Sigmoid>(op) || std::holds_alternative<Hardsigmoid>(op) ||
         std::holds_alternative<Softmax>(op);
}

/// The gate is the one with one number for each channel; of two equal shapes the one whose values lie in [0, 1].
LayerId add_gate(OperatorCall& call, LayerId first, LayerId second) {
  NetworkBuilder& network = call.network();
  const auto gates = [&](LayerId gate, LayerId signal) {
    const Shape &own = network.shape(gate), &other = network.shape(signal);
    if (own == other) return is_from_0_to_1(network.op(gate)) && gate != signal;
    return other.size() == 3 && own == Shape{other[0], 1, 1};
  };
  if (gates(second, first)) return network.add(Gate{}, {first, second});
  call.require(gates(first, second),
               "two factors that are computed from the input, of which neither is a gate");
  return network.add(Gate{}, {second, first});
}

}  // namespace

LayerId add(OperatorCall& call) {
  call.require(call.number("alpha") == 1, "alpha {}", call.number("alpha"));
  if (!call.is_layer("other")) return add_constant(call, "self", "other");
  if (!call.is_layer("self")) return add_constant(call, "other", "self");
  return call.network().add(Add{}, {call.layer("self"), call.layer("other")});
}

LayerId subtract(OperatorCall& call) {
  if (call.is_layer("self")) return difference(call, "self", "other", 1);
  return difference(call, "other", "self", -1);
}
LayerId subtract_from(OperatorCall& call) { return difference(call, "self", "other", -1); }

LayerId negate(OperatorCall& call) {
  const LayerId layer = call.layer("self");
  const at::Tensor scale = at::full({call.network().shape(layer)[0]}, -1.0);
  return scale_and_shift(call, layer, scale, at::zeros_like(scale));
}

LayerId multiply(OperatorCall& call) {
  if (call.is_layer("self") && call.is_layer("other"))
    return add_gate(call, call.layer("self"), call.layer("other"));
  const bool first = call.is_layer("self");
  const LayerId layer = call.layer(first ? "self" : "other");
  const at::Tensor factor = by_channel(call, layer, first ? "other" : "self");
  return scale_and_shift(call, layer, factor, at::zeros_like(factor));
}

LayerId divide(OperatorCall& call) {
  call.require(!call.has("rounding_mode") || call.is_none("rounding_mode"), "a rounding mode");
  const LayerId layer = call.layer("self");
  const at::Tensor factor = by_channel(call, layer, "other").reciprocal();
  return scale_and_shift(call, layer, factor, at::zeros_like(factor));
}

}  // namespace whence::nn
