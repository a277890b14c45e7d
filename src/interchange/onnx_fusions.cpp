#include "interchange/onnx_fusions.h"

#include <torch/csrc/jit/ir/constants.h>

#include <cmath>
#include <numbers>

namespace whence::interchange {
namespace {

using torch::jit::Value;

bool is_result_of(const Value* value, const char* operation) {
  return value->node()->kind() == c10::Symbol::fromQualString(operation);
}

/// What a value is the product of, one multiplication deep.
void append_factors(Value* value, std::vector<Value*>& factors) {
  if (!is_result_of(value, "aten::mul")) return factors.push_back(value);
  factors.push_back(value->node()->input(0));
  factors.push_back(value->node()->input(1));
}

/// Whether it is a constant near that number.
bool is_number(const OnnxEmitter& emitter, const Value* value, double wanted) {
  const std::optional<double> number = emitter.number(value);
  return number && std::abs(*number - wanted) < 1e-4 * std::abs(wanted);
}

/// Whether `value` is a / b, a b, a + b or the like, and b that number; then a, else nullptr.
const Value* beside_number(const OnnxEmitter& emitter, const Value* value, const char* operation,
                           double number) {
  if (!is_result_of(value, operation)) return nullptr;
  const auto inputs = value->node()->inputs();
  if (is_number(emitter, inputs[1], number)) return inputs[0];
  const bool either = !is_result_of(value, "aten::div");
  return either && is_number(emitter, inputs[0], number) ? inputs[1] : nullptr;
}

/// x of 1 + erf(x / sqrt(2)); else nullptr.
const Value* inside_erf(const OnnxEmitter& emitter, const Value* value) {
  const Value* erf = beside_number(emitter, value, "aten::add", 1);
  if (erf == nullptr || !is_result_of(erf, "aten::erf")) return nullptr;
  const Value* scaled = erf->node()->input(0);
  const Value* x = beside_number(emitter, scaled, "aten::div", std::numbers::sqrt2);
  return x != nullptr ? x : beside_number(emitter, scaled, "aten::mul", 1 / std::numbers::sqrt2);
}

bool is_gelu(const OnnxEmitter& emitter, const std::vector<Value*>& factors, const Value* x) {
  bool half = false, erf = false;
  for (const Value* factor : factors) {
    half = half || is_number(emitter, factor, 0.5);
    erf = erf || inside_erf(emitter, factor) == x;
  }
  return half && erf && factors.size() == 3;
}

}  // namespace

std::optional<OnnxValue> fused_product(OnnxCall& call, const OnnxValue& a, const OnnxValue& b) {
  if (a.computed == nullptr && b.computed == nullptr) return std::nullopt;
  std::vector<Value*> factors;
  for (const OnnxValue* value : {&a, &b}) {
    if (value->numbers) return std::nullopt;
    append_factors(call.emitter().value_of(*value), factors);
  }
  const OnnxSizes sizes = broadcast(a.sizes, b.sizes);
  const OnnxValue& whole = a.computed != nullptr ? a : b;
  if (whole.sizes != sizes || whole.type != at::kFloat) return std::nullopt;
  for (Value* x : factors) {
    OnnxValue input = whole;
    input.computed = x;
    input.order = nullptr;
    for (const Value* gate : factors) {
      if (factors.size() != 2 || gate == x || gate->node()->inputs().empty() || gate->node()->input(0) != x)
        continue;
      if (is_result_of(gate, "aten::sigmoid")) return call.emit("aten::silu", {input}, sizes);
      if (is_result_of(gate, "aten::hardsigmoid")) return call.emit("aten::hardswish", {input}, sizes);
    }
    if (is_gelu(call.emitter(), factors, x)) return call.emit("aten::gelu", {input, "none"}, sizes);
  }
  return std::nullopt;
}

}  // namespace whence::interchange
