// A program of torch.export as a TorchScript graph, node by node.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "interchange/module_builder.h"

namespace whence::interchange {

/// Builds the forward method of a module from "graph_module" of models/NAME.json.
class Pt2Graph {
 public:
  /// `file`: for errors. `tensors`: by their names in the module.
  Pt2Graph(std::string file, const nlohmann::json& program, const std::map<std::string, at::Tensor>& tensors);

  /// Errors: those of load_exported_program.
  torch::jit::Module build();

 private:
  using Value = torch::jit::Value;

  void add_inputs();
  void add_attribute(const std::string& argument, const std::string& name, bool parameter);
  /// As an attribute of the module, where every size but the batch is fixed.
  void tell_shape(const nlohmann::json& meta);
  void add_node(const nlohmann::json& node);
  /// ATen's operator by its name, arguments in the order of its schema.
  void add_operator(const nlohmann::json& node, const std::string& name, const std::string& overload);
  void add_attention(const nlohmann::json& node);
  std::vector<Value*> outputs() const;
  /// The keys of the dictionary that the exported module returns, in the order of its outputs; empty where it returns none.
  std::vector<std::string> output_names() const;

  Value* value_of(const nlohmann::json& argument, const c10::TypePtr& declared);
  Value* list_of(const nlohmann::json& items, const c10::TypePtr& element);
  /// The argument as a constant; None where it is no constant.
  std::optional<c10::IValue> constant_of(const std::string& kind, const nlohmann::json& value,
                                         const c10::TypePtr& type) const;
  Value* named(const std::string& name) const;
  void name_outputs(const nlohmann::json& outputs, at::ArrayRef<Value*> results);
  void refuse_random(const nlohmann::json& node, const torch::jit::Node& added) const;
  void refuse_learning(const nlohmann::json& node, const torch::jit::Node& added) const;
  /// "gelu of the layer 'features.3' (torch.nn.modules.activation.GELU)"
  static std::string place_of(const nlohmann::json& node);

  std::string file_;
  const nlohmann::json& calls_;  ///< of modules; the first is the whole
  const nlohmann::json& graph_;
  const nlohmann::json& signature_;
  const std::map<std::string, at::Tensor>& tensors_;
  ModuleBuilder builder_;
  torch::jit::Graph* jit_;
  std::unordered_map<std::string, Value*> values_;
};

}  // namespace whence::interchange
