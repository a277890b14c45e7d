// Operators of the domain ai.onnx.ml that have a gradient: what skl2onnx writes for linear models.
#include "interchange/onnx_operators.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

/// A row of numbers for the features of the input, or one number for all.
OnnxValue row_of(OnnxCall& call, const char* attribute) {
  const std::vector<float> numbers = call.reals(attribute);
  const OnnxSize features = call.input(0).sizes.back();
  if (numbers.size() != 1 && OnnxSize{static_cast<std::int64_t>(numbers.size())} != features)
    call.problem("has {} numbers as {} for {} features", numbers.size(), attribute, features.count);
  return call.constant_of(at::tensor(numbers, at::kFloat));
}

/// (x - offset) * scale
Values scaler(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const OnnxValue centred = call.emit("aten::sub.Tensor", {x, row_of(call, "offset")}, x.sizes);
  return {call.emit("aten::mul.Tensor", {centred, row_of(call, "scale")}, x.sizes)};
}

Values normalizer(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  if (x.rank() != 2) call.problem("normalises a tensor of {}", text_of(x.sizes));
  const std::string norm = call.text("norm", "MAX");
  const OnnxSizes one = {x.sizes[0], {1}};
  const std::vector<std::int64_t> last = {1};
  OnnxValue size;
  if (norm == "MAX")
    size = call.emit("aten::amax", {call.emit("aten::abs", {x}, x.sizes), last, true}, one);
  else if (norm == "L1" || norm == "L2")
    size = call.emit("aten::linalg_vector_norm", {x, norm == "L1" ? 1.0 : 2.0, last, true}, one);
  else
    call.problem("has norm '{}'", norm);
  return {call.emit("aten::div.Tensor", {x, size}, x.sizes)};
}

/// Its label has no gradient and is left out.
Values linear_classifier(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::vector<float> coefficients = call.reals("coefficients"), intercepts = call.reals("intercepts");
  const OnnxAttribute* labels = call.find("classlabels_ints");
  const auto classes = static_cast<std::int64_t>(intercepts.size());
  const std::int64_t features = x.rank() == 2 ? x.sizes[1].count : 0;
  if (classes < 2 || features < 1 || static_cast<std::int64_t>(coefficients.size()) != classes * features ||
      (labels != nullptr && labels->integers.size() != intercepts.size()))
    call.problem("has {} coefficients for {} classes and an input of {}", coefficients.size(), classes,
                 text_of(x.sizes));
  const OnnxValue weight =
      call.constant_of(at::tensor(coefficients, at::kFloat).reshape({classes, features}));
  const OnnxValue bias = call.constant_of(at::tensor(intercepts, at::kFloat));
  call.name_weight(weight, "weight");
  call.name_weight(bias, "bias");
  const OnnxSizes sizes = {x.sizes[0], {classes}};
  const OnnxValue scores = call.emit("aten::linear", {x, weight, bias}, sizes);
  const std::string then = call.text("post_transform", "NONE");
  if (then == "NONE") return {OnnxValue(), scores};
  if (then == "LOGISTIC") return {OnnxValue(), call.emit("aten::sigmoid", {scores}, sizes)};
  if (then == "SOFTMAX")
    return {OnnxValue(), call.emit("aten::softmax.int", {scores, 1, std::nullopt}, sizes)};
  call.problem("ends in '{}', which whence does not read", then);
}

constexpr OnnxEntry kLearning[] = {
    {"Scaler", scaler}, {"Normalizer", normalizer}, {"LinearClassifier", linear_classifier}};

}  // namespace

std::span<const OnnxEntry> onnx_learning() { return kLearning; }

}  // namespace whence::interchange
