// Operators that act on each number by itself.
#include "interchange/onnx_operators.h"
#include "interchange/onnx_tensors.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

/// One input, a result of its shape. What is in another order stays so, and no order is computed twice.
OnnxValue unary(OnnxCall& call, const std::string& name, std::vector<OnnxArgument> rest = {}) {
  const auto apply = [&](const OnnxValue& x) {
    std::vector<OnnxArgument> arguments = {x};
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    return call.emit(name, arguments, x.sizes, x.type);
  };
  const OnnxValue& x = call.input(0);
  if (x.order == nullptr || x.order->flat) return apply(x);
  const OnnxOrder order = {apply(x.order->base), x.order->dimensions};
  OnnxValue result = call.emit("aten::permute", {order.base, order.dimensions}, x.sizes, x.type);
  result.order = std::make_shared<OnnxOrder>(order);
  return result;
}

/// An operator of ATen of the same meaning.
template <AtenName name>
Values same_as(OnnxCall& call) {
  return {unary(call, name.letters)};
}

Values unchanged(OnnxCall& call) { return {call.input(0)}; }

Values dropout(OnnxCall& call) {
  if (call.has(2) && call.constant(2).ne(0).any().item<bool>())
    call.problem("drops values at random; export the model in evaluation mode");
  if (call.opset() < 7 || call.integer("is_test", 1) == 0) call.problem("drops values at random");
  return {call.input(0)};
}

Values cast_to(OnnxCall& call, at::ScalarType type) {
  const OnnxValue& x = call.input(0);
  if (x.type == type) return {x};
  return {call.emit("aten::to.dtype", {x, type}, x.sizes, type)};
}

Values cast(OnnxCall& call) { return cast_to(call, onnx_scalar_type(call.integer("to", 1), "a Cast")); }
Values cast_like(OnnxCall& call) { return cast_to(call, call.input(1).type); }

Values elu(OnnxCall& call) { return {unary(call, "aten::elu", {call.real("alpha", 1)})}; }

Values selu(OnnxCall& call) {
  const double alpha = call.real("alpha", 1.67326319217681884765625),
               gamma = call.real("gamma", 1.05070102214813232421875);
  return {unary(call, "aten::elu", {alpha, gamma})};
}

Values celu(OnnxCall& call) { return {unary(call, "aten::celu", {call.real("alpha", 1)})}; }
Values leaky_relu(OnnxCall& call) {
  return {unary(call, "aten::leaky_relu", {static_cast<double>(call.real("alpha", 0.01))})};
}

Values thresholded_relu(OnnxCall& call) {
  return {unary(call, "aten::threshold", {call.real("alpha", 1), 0.0})};
}

Values hard_sigmoid(OnnxCall& call) {
  const double alpha = call.real("alpha", 0.2), beta = call.real("beta", 0.5);
  if (std::abs(alpha - 1.0 / 6) < 1e-6 && beta == 0.5) return {unary(call, "aten::hardsigmoid")};
  const OnnxValue& x = call.input(0);
  const OnnxValue scaled = call.emit("aten::mul.Scalar", {x, alpha}, x.sizes);
  const OnnxValue shifted = call.emit("aten::add.Scalar", {scaled, beta}, x.sizes);
  return {call.emit("aten::clamp", {shifted, 0.0, 1.0}, x.sizes)};
}

Values gelu(OnnxCall& call) { return {unary(call, "aten::gelu", {call.text("approximate", "none")})}; }

/// x * sigmoid(alpha x)
Values swish(OnnxCall& call) {
  const double alpha = call.real("alpha", 1);
  if (alpha == 1) return {unary(call, "aten::silu")};
  const OnnxValue& x = call.input(0);
  const OnnxValue gate =
      call.emit("aten::sigmoid", {call.emit("aten::mul.Scalar", {x, alpha}, x.sizes)}, x.sizes);
  return {call.emit("aten::mul.Tensor", {x, gate}, x.sizes)};
}

Values softsign(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const OnnxValue size = call.emit("aten::add.Scalar", {call.emit("aten::abs", {x}, x.sizes), 1.0}, x.sizes);
  return {call.emit("aten::div.Tensor", {x, size}, x.sizes)};
}

Values softplus(OnnxCall& call) { return {unary(call, "aten::softplus", {1.0, 40.0})}; }

Values shrink(OnnxCall& call) {
  const double lambda = call.real("lambd", 0.5), bias = call.real("bias", 0);
  if (bias == 0) return {unary(call, "aten::hardshrink", {lambda})};
  if (bias == lambda) return {unary(call, "aten::softshrink", {lambda})};
  call.problem("has a bias of {} beside a lambd of {}", bias, lambda);
}

/// A bound of Clip: an attribute before opset 11, then an input.
std::optional<double> bound_of(const OnnxCall& call, const char* attribute, std::size_t i) {
  if (call.has_attribute(attribute)) return call.real(attribute, 0);
  if (!call.has(i)) return std::nullopt;
  if (call.constant(i).numel() != 1) call.problem("has a bound that is no single number");
  return call.constant(i).item<double>();
}

Values clip(OnnxCall& call) {
  const std::optional<double> low = bound_of(call, "min", 1), high = bound_of(call, "max", 2);
  if (!low && !high) return {call.input(0)};
  if (low == 0.0 && !high) return {unary(call, "aten::relu")};
  const bool whole = call.input(0).type == at::kLong;
  const auto limit = [&](const std::optional<double>& bound) -> OnnxArgument {
    if (!bound) return std::nullopt;
    return whole ? OnnxArgument(static_cast<std::int64_t>(*bound)) : OnnxArgument(*bound);
  };
  return {unary(call, "aten::clamp", {limit(low), limit(high)})};
}

/// The slope has one number for each channel, and none or ones for rows and columns.
Values prelu(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const OnnxValue& slope = call.input(1);
  const OnnxSizes sizes = broadcast(x.sizes, slope.sizes);
  if (sizes != x.sizes) call.problem("has slopes of {} for {}", text_of(slope.sizes), text_of(x.sizes));
  const OnnxValue positive = call.emit("aten::clamp", {x, 0.0, std::nullopt}, x.sizes);
  const OnnxValue negative = call.emit("aten::clamp", {x, std::nullopt, 0.0}, x.sizes);
  const OnnxValue scaled = call.emit("aten::mul.Tensor", {negative, slope}, x.sizes);
  return {call.emit("aten::add.Tensor", {positive, scaled}, x.sizes)};
}

Values truth(OnnxCall& call, const char* name) {
  const OnnxValue& x = call.input(0);
  return {call.emit(name, {x}, x.sizes, at::kBool)};
}
Values logical_not(OnnxCall& call) { return truth(call, "aten::logical_not"); }
Values is_nan(OnnxCall& call) { return truth(call, "aten::isnan"); }
Values is_infinite(OnnxCall& call) { return truth(call, "aten::isinf"); }

constexpr OnnxEntry kActivations[] = {
    {"Relu", same_as<"aten::relu">},
    {"Sigmoid", same_as<"aten::sigmoid">},
    {"Tanh", same_as<"aten::tanh">},
    {"Exp", same_as<"aten::exp">},
    {"Log", same_as<"aten::log">},
    {"Sqrt", same_as<"aten::sqrt">},
    {"Erf", same_as<"aten::erf">},
    {"Abs", same_as<"aten::abs">},
    {"Neg", same_as<"aten::neg">},
    {"Reciprocal", same_as<"aten::reciprocal">},
    {"Floor", same_as<"aten::floor">},
    {"Ceil", same_as<"aten::ceil">},
    {"Round", same_as<"aten::round">},
    {"Sign", same_as<"aten::sign">},
    {"Sin", same_as<"aten::sin">},
    {"Cos", same_as<"aten::cos">},
    {"Tan", same_as<"aten::tan">},
    {"Asin", same_as<"aten::asin">},
    {"Acos", same_as<"aten::acos">},
    {"Atan", same_as<"aten::atan">},
    {"Sinh", same_as<"aten::sinh">},
    {"Cosh", same_as<"aten::cosh">},
    {"HardSwish", same_as<"aten::hardswish">},
    {"Mish", same_as<"aten::mish">},
    {"Identity", unchanged},
    {"Dropout", dropout},
    {"Cast", cast},
    {"CastLike", cast_like},
    {"Elu", elu},
    {"Selu", selu},
    {"Celu", celu},
    {"LeakyRelu", leaky_relu},
    {"ThresholdedRelu", thresholded_relu},
    {"HardSigmoid", hard_sigmoid},
    {"Gelu", gelu},
    {"Swish", swish},
    {"Softsign", softsign},
    {"Softplus", softplus},
    {"Shrink", shrink},
    {"Clip", clip},
    {"PRelu", prelu},
    {"Not", logical_not},
    {"IsNaN", is_nan},
    {"IsInf", is_infinite},
};

}  // namespace

std::span<const OnnxEntry> onnx_activations() { return kActivations; }

}  // namespace whence::interchange
