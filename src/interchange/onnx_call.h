// A node of an ONNX graph with what is known of its inputs.
#pragma once

#include <fmt/core.h>

#include "interchange/onnx_emitter.h"
#include "interchange/onnx_model.h"

namespace whence::interchange {

/// All accessors throw an OnnxProblem where the node does not have what they return.
class OnnxCall {
 public:
  /// `inputs`: nothing for one that is left out. `opset`: of the node's domain.
  OnnxCall(const OnnxNode& node, std::int64_t opset, std::vector<std::optional<OnnxValue>> inputs,
           OnnxEmitter& emitter)
      : node_(node), opset_(opset), inputs_(std::move(inputs)), emitter_(emitter) {}

  std::int64_t opset() const { return opset_; }
  OnnxEmitter& emitter() { return emitter_; }
  std::size_t inputs() const { return inputs_.size(); }
  std::size_t outputs() const { return node_.outputs.size(); }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i].has_value(); }
  const OnnxValue& input(std::size_t i) const;
  /// An input that is a sequence, which no other accessor returns.
  const std::vector<OnnxValue>& sequence(std::size_t i) const;
  /// All inputs.
  std::vector<OnnxValue> all() const;
  const at::Tensor& constant(std::size_t i) const;
  /// A constant of whole numbers, such as axes.
  std::vector<std::int64_t> whole_numbers(std::size_t i) const;
  /// As whole_numbers; the number of samples may stand among them.
  OnnxSizes numbers(std::size_t i) const;

  bool has_attribute(std::string_view name) const { return find(name) != nullptr; }
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  double real(std::string_view name, double otherwise) const;
  std::string text(std::string_view name, std::string_view otherwise) const;
  std::vector<std::int64_t> integers(std::string_view name, std::vector<std::int64_t> otherwise = {}) const;
  std::vector<float> reals(std::string_view name) const;
  const OnnxAttribute* find(std::string_view name) const;
  /// Whole numbers that are an attribute in early opsets and input `i` in later ones; nothing where they are left out.
  std::optional<std::vector<std::int64_t>> listed(std::string_view attribute, std::size_t i) const;

  /// As OnnxEmitter::emit.
  OnnxValue emit(const std::string& name, const std::vector<OnnxArgument>& arguments, OnnxSizes sizes,
                 at::ScalarType type = at::kFloat) {
    return emitter_.emit(name, arguments, std::move(sizes), type);
  }
  OnnxValue constant_of(const at::Tensor& tensor) { return emitter_.constant(tensor); }
  /// Names a weight for its layer: "layer1.0.conv1.weight".
  void name_weight(const OnnxValue& weight, const char* role);

  template <class... Args>
  [[noreturn]] void problem(fmt::format_string<Args...> format, Args&&... args) const {
    throw OnnxProblem(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  const OnnxValue& given(std::size_t i) const;

  const OnnxNode& node_;
  std::int64_t opset_;
  std::vector<std::optional<OnnxValue>> inputs_;
  OnnxEmitter& emitter_;
};

/// The layer that a node belongs to: "layer1.0.conv1" for "/layer1/layer1.0/conv1/Conv".
std::string onnx_layer(const OnnxNode& node);

}  // namespace whence::interchange
