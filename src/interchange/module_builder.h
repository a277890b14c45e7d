// A TorchScript module of one forward method, built node by node: what .pt2 and ONNX files become.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

namespace whence::interchange {

class ModuleBuilder {
 public:
  using Value = torch::jit::Value;

  /// `name`: of the module's type, such as "ExportedProgram".
  explicit ModuleBuilder(const std::string& name);

  torch::jit::Graph& graph() { return *graph_; }
  /// The image or code.
  Value* add_input() { return graph_->addInput("x"); }
  /// A parameter or buffer of the module, as a value of the graph. `name`: not yet taken.
  Value* add_weight(const std::string& name, const at::Tensor& tensor, bool parameter);
  /// The shape of one sample, which ScriptModule::input_shape tells.
  void tell_shape(const std::vector<std::int64_t>& sample);
  /// ATen's operator with all its arguments. nullptr: this LibTorch does not know it with arguments of these types.
  torch::jit::Node* call(const c10::FunctionSchema& schema, const std::vector<Value*>& arguments);
  /// Several outputs become a tuple, whose fields have these names where there is one for each.
  torch::jit::Module finish(const std::vector<Value*>& outputs, const std::vector<std::string>& names = {});

 private:
  Value* tuple_of(const std::vector<Value*>& outputs, const std::vector<std::string>& names);

  c10::QualifiedName name_;
  torch::jit::Module module_;
  std::shared_ptr<torch::jit::Graph> graph_;
  Value* self_;
};

}  // namespace whence::interchange
