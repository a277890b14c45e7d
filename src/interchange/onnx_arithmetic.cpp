// Operators that combine the numbers of several tensors, one by one.
#include "interchange/onnx_fusions.h"
#include "interchange/onnx_operators.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

/// An operator of ATen on two tensors of sizes that fit.
OnnxValue binary(OnnxCall& call, const std::string& name, const OnnxValue& a, const OnnxValue& b,
                 std::vector<OnnxArgument> rest = {}) {
  std::vector<OnnxArgument> arguments = {a, b};
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  const at::ScalarType type = a.type == at::kFloat || b.type == at::kFloat ? at::kFloat
                              : a.type == at::kLong || b.type == at::kLong ? at::kLong
                                                                           : at::kBool;
  return call.emit(name, arguments, broadcast(a.sizes, b.sizes), type);
}

template <AtenName name>
Values combined(OnnxCall& call) {
  return {binary(call, name.letters, call.input(0), call.input(1))};
}

template <AtenName name>
Values compared(OnnxCall& call) {
  const OnnxValue &a = call.input(0), &b = call.input(1);
  return {call.emit(name.letters, {a, b}, broadcast(a.sizes, b.sizes), at::kBool)};
}

/// Of any number of tensors.
template <AtenName name>
Values accumulated(OnnxCall& call) {
  const std::vector<OnnxValue> all = call.all();
  OnnxValue result = all.front();
  for (std::size_t i = 1; i < all.size(); ++i) result = binary(call, name.letters, result, all[i]);
  return {result};
}

Values multiply_onnx(OnnxCall& call) {
  const OnnxValue &a = call.input(0), &b = call.input(1);
  if (std::optional<OnnxValue> fused = fused_product(call, a, b)) return {std::move(*fused)};
  return {binary(call, "aten::mul.Tensor", a, b)};
}

Values mean_of_all(OnnxCall& call) {
  const OnnxValue sum = accumulated<"aten::add.Tensor">(call).front();
  return {call.emit("aten::div.Scalar", {sum, static_cast<double>(call.inputs())}, sum.sizes)};
}

/// Of whole numbers rounded towards zero.
Values divide_onnx(OnnxCall& call) {
  const OnnxValue &a = call.input(0), &b = call.input(1);
  const bool whole = a.type != at::kFloat && b.type != at::kFloat;
  if (!whole) return {binary(call, "aten::div.Tensor", a, b)};
  if (b.is_constant() && b.constant.eq(0).any().item<bool>()) call.problem("divides by zero");
  return {binary(call, "aten::div.Tensor_mode", a, b, {"trunc"})};
}

Values modulo(OnnxCall& call) {
  const OnnxValue &a = call.input(0), &b = call.input(1);
  const bool whole = a.type != at::kFloat && b.type != at::kFloat;
  if (whole && b.is_constant() && b.constant.eq(0).any().item<bool>()) call.problem("divides by zero");
  // With the sign of the divisor, or of the dividend.
  return {binary(call, call.integer("fmod", 0) == 0 ? "aten::remainder.Tensor" : "aten::fmod.Tensor", a, b)};
}

Values power(OnnxCall& call) {
  const OnnxValue &a = call.input(0), &b = call.input(1);
  if (b.is_constant() && b.constant.numel() == 1 && b.rank() <= a.rank() && a.type == at::kFloat)
    return {call.emit("aten::pow.Tensor_Scalar", {a, b.constant.item<double>()}, a.sizes)};
  const bool whole = a.type == at::kLong && b.type == at::kLong;
  if (whole && b.is_constant() && b.constant.lt(0).any().item<bool>())
    call.problem("raises whole numbers to negative powers");
  return {call.emit("aten::pow.Tensor_Tensor", {a, b}, broadcast(a.sizes, b.sizes),
                    whole ? at::kLong : at::kFloat)};
}

Values where(OnnxCall& call) {
  const OnnxValue &condition = call.input(0), &a = call.input(1), &b = call.input(2);
  if (condition.type != at::kBool) call.problem("chooses by what is no truth value");
  if (a.type != b.type) call.problem("chooses between tensors of different types");
  return {call.emit("aten::where.self", {condition, a, b},
                    broadcast(condition.sizes, broadcast(a.sizes, b.sizes)), a.type)};
}

constexpr OnnxEntry kArithmetic[] = {
    {"Add", combined<"aten::add.Tensor">},
    {"Sub", combined<"aten::sub.Tensor">},
    {"Mul", multiply_onnx},
    {"Div", divide_onnx},
    {"Mod", modulo},
    {"Pow", power},
    {"Min", accumulated<"aten::minimum">},
    {"Max", accumulated<"aten::maximum">},
    {"Sum", accumulated<"aten::add.Tensor">},
    {"Mean", mean_of_all},
    {"Equal", compared<"aten::eq.Tensor">},
    {"Less", compared<"aten::lt.Tensor">},
    {"LessOrEqual", compared<"aten::le.Tensor">},
    {"Greater", compared<"aten::gt.Tensor">},
    {"GreaterOrEqual", compared<"aten::ge.Tensor">},
    {"And", compared<"aten::logical_and">},
    {"Or", compared<"aten::logical_or">},
    {"Xor", compared<"aten::logical_xor">},
    {"Where", where},
};

}  // namespace

std::span<const OnnxEntry> onnx_arithmetic() { return kArithmetic; }

}  // namespace whence::interchange
