#include "interchange/module_builder.h"

#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include "interchange/script_module.h"

namespace whence::interchange {

ModuleBuilder::ModuleBuilder(const std::string& name)
    : name_("__torch__." + name),
      module_(name_),
      graph_(std::make_shared<torch::jit::Graph>()),
      self_(graph_->addInput("self")) {
  self_->setType(module_.type());
}

ModuleBuilder::Value* ModuleBuilder::add_weight(const std::string& name, const at::Tensor& tensor,
                                                bool parameter) {
  if (parameter)
    module_.register_parameter(name, tensor, false);
  else
    module_.register_buffer(name, tensor);
  self_->setType(module_.type());
  return graph_->insertNode(graph_->createGetAttr(self_, name))->output();
}

void ModuleBuilder::tell_shape(const std::vector<std::int64_t>& sample) {
  module_.register_attribute(nn::input_shape_attribute, c10::ListType::ofInts(),
                             c10::List<std::int64_t>(sample));
  self_->setType(module_.type());
}

torch::jit::Node* ModuleBuilder::call(const c10::FunctionSchema& schema,
                                      const std::vector<Value*>& arguments) {
  const auto& returns = schema.returns();
  torch::jit::Node* node = graph_->insertNode(
      graph_->create(c10::Symbol::fromQualString(schema.name()), arguments, returns.size()));
  for (std::size_t i = 0; i < returns.size(); ++i) node->outputs()[i]->setType(returns[i].type());
  const torch::jit::Operator* known = node->maybeOperator();
  return known != nullptr && known->schema().overload_name() == schema.overload_name() ? node : nullptr;
}

ModuleBuilder::Value* ModuleBuilder::tuple_of(const std::vector<Value*>& outputs,
                                              const std::vector<std::string>& names) {
  if (names.size() != outputs.size()) return graph_->insertNode(graph_->createTuple(outputs))->output();
  std::vector<c10::TypePtr> types;
  for (const Value* output : outputs) types.push_back(output->type());
  const auto type = c10::TupleType::createNamed(c10::QualifiedName(name_, "Outputs"), names, types);
  return graph_->insertNode(graph_->createTuple(outputs, type))->output();
}

torch::jit::Module ModuleBuilder::finish(const std::vector<Value*>& outputs,
                                         const std::vector<std::string>& names) {
  graph_->registerOutput(outputs.size() == 1 ? outputs.front() : tuple_of(outputs, names));
  torch::jit::EliminateDeadCode(graph_);
  graph_->lint();
  auto* forward =
      module_._ivalue()->compilation_unit()->create_function(c10::QualifiedName(name_, "forward"), graph_);
  module_.type()->addMethod(forward);
  module_.eval();
  return module_;
}

}  // namespace whence::interchange
