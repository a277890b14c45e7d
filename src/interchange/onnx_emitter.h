// Calls of ATen's operators: done at once where everything is constant, else left to the module.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <variant>

#include "interchange/module_builder.h"
#include "interchange/onnx_value.h"

namespace whence::interchange {

/// What an operator of ATen is called with.
class OnnxArgument {
 public:
  OnnxArgument(OnnxValue value) : content_(std::move(value)) {}
  OnnxArgument(std::vector<OnnxValue> values) : content_(std::move(values)) {}
  /// A list of whole numbers in which the number of samples may stand.
  OnnxArgument(OnnxSizes sizes) : content_(std::move(sizes)) {}
  OnnxArgument(const std::vector<std::int64_t>& numbers) : content_(c10::IValue(numbers)) {}
  OnnxArgument(std::int64_t number) : content_(c10::IValue(number)) {}
  OnnxArgument(int number) : content_(c10::IValue(static_cast<std::int64_t>(number))) {}
  OnnxArgument(double number) : content_(c10::IValue(number)) {}
  OnnxArgument(bool truth) : content_(c10::IValue(truth)) {}
  OnnxArgument(const char* text) : content_(c10::IValue(std::string(text))) {}
  OnnxArgument(const std::string& text) : content_(c10::IValue(text)) {}
  OnnxArgument(at::ScalarType type) : content_(c10::IValue(static_cast<std::int64_t>(type))) {}
  OnnxArgument(std::nullopt_t) : content_(c10::IValue()) {}

  const auto& content() const { return content_; }

 private:
  std::variant<OnnxValue, std::vector<OnnxValue>, OnnxSizes, c10::IValue> content_;
};

class OnnxEmitter {
 public:
  /// `most_constants`: how many numbers may be computed before the model runs.
  OnnxEmitter(const std::string& name, std::int64_t most_constants)
      : builder_(name), constants_left_(most_constants) {}

  /// The input of the module, N samples of shape `sample`.
  OnnxValue add_input(const std::vector<std::int64_t>& sample);
  void tell_shape(const std::vector<std::int64_t>& sample) { builder_.tell_shape(sample); }
  /// ATen's operator "aten::add.Tensor"; arguments that are left out have their defaults. `sizes`, `type`: of its result,
  /// the first one. Errors (OnnxProblem): too large; an operator that this LibTorch lacks.
  OnnxValue emit(const std::string& name, const std::vector<OnnxArgument>& arguments, OnnxSizes sizes,
                 at::ScalarType type = at::kFloat);
  /// Before so many numbers are computed. Error (OnnxProblem): more than a model needs, in all.
  void spend(std::int64_t numbers);
  /// A weight of so many numbers was read beside the file: as many more constants may be computed.
  void allow(std::int64_t numbers) { constants_left_ += numbers; }
  /// A constant of the graph under its own name, for `name_weight`.
  OnnxValue constant(const at::Tensor& tensor, const std::string& name = "");
  /// "" where it has none.
  std::string name_of(const OnnxValue& constant) const;
  /// The constant becomes a parameter of this name, unless it has a name with a point from the file: "conv1.weight".
  void name_weight(const OnnxValue& constant, const std::string& name);
  torch::jit::Value* value_of(const OnnxValue& value);
  /// Of a constant of one element.
  std::optional<double> number(const torch::jit::Value* value) const;
  torch::jit::Module finish(const std::vector<OnnxValue>& outputs, const std::vector<std::string>& names);

  /// The number of samples that the file fixes, where it does: such a number stands for N.
  std::optional<std::int64_t> fixed_batch;

 private:
  using Value = torch::jit::Value;
  OnnxValue fold(const c10::FunctionSchema& schema, const std::vector<OnnxArgument>& arguments,
                 const OnnxSizes& sizes, at::ScalarType type);
  c10::IValue folded(const OnnxArgument& argument, const c10::TypePtr& type) const;
  Value* inserted(const OnnxArgument& argument, const c10::TypePtr& type);
  Value* value_of(const OnnxSizes& sizes);
  Value* weight_of(const at::Tensor& tensor, const std::string& name, bool parameter);
  std::string free_name(const std::string& wanted);

  ModuleBuilder builder_;
  std::int64_t constants_left_;
  double work_left_ = 1e11;  ///< multiplications for constants
  Value* input_ = nullptr;
  Value* samples_ = nullptr;
  std::unordered_map<const void*, std::string> names_;
  std::unordered_map<const void*, Value*> weights_;
  std::unordered_map<const Value*, double> numbers_;
  std::set<std::string> taken_;
};

}  // namespace whence::interchange
