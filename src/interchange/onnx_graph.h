// An ONNX graph as a TorchScript module, node by node.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>

#include "interchange/onnx_emitter.h"
#include "interchange/onnx_file.h"
#include "interchange/onnx_model.h"

namespace whence::interchange {

class OnnxGraph {
 public:
  /// `file`: for errors and for weights beside it. `most_constants`: as OnnxEmitter's. `texts`: of a model of texts, what it gets.
  OnnxGraph(const OnnxModel& model, std::filesystem::path file, std::int64_t most_constants,
            std::optional<OnnxTexts> texts);

  /// Errors: those of load_onnx.
  torch::jit::Module build();

 private:
  /// What names mean in a graph, a function or a branch.
  struct Scope {
    Scope* outer = nullptr;
    const OnnxOpsets& opsets;
    std::unordered_map<std::string, OnnxValue> values{};
    std::unordered_map<std::string, const OnnxTensor*> initializers{};
    const std::vector<OnnxAttribute>* attributes = nullptr;  ///< of the call, in a function
    int depth = 0;
  };

  /// As many more are to be looked at. Error (OnnxProblem): too many, in all.
  void count_nodes(std::size_t nodes);
  void add_input(const std::set<std::string>& needed, Scope& scope);
  OnnxValue input_of(const OnnxValueInfo& input);
  OnnxValue texts_of(const OnnxValueInfo& input, const OnnxTexts& texts);
  /// Names of the tensors that the module returns.
  std::vector<std::string> outputs() const;
  void add_initializers(const std::vector<OnnxTensor>& tensors, Scope& scope);

  void add_nodes(const std::vector<OnnxNode>& nodes, const std::set<std::string>& needed, Scope& scope);
  void add_node(const OnnxNode& node, Scope& scope);
  std::vector<OnnxValue> results_of(const OnnxNode& node, Scope& scope);
  std::vector<OnnxValue> call_function(const OnnxFunction& function, const OnnxNode& node, Scope& scope);
  std::vector<OnnxValue> take_branch(const OnnxNode& node, Scope& scope);
  const OnnxFunction* function_of(const OnnxNode& node) const;
  std::optional<OnnxValue> find(const std::string& name, Scope& scope);
  std::int64_t opset_of(const OnnxNode& node, const Scope& scope) const;

  const OnnxModel& model_;
  std::filesystem::path file_;
  std::optional<OnnxTexts> texts_;
  OnnxEmitter emitter_;
  std::int64_t nodes_left_;
  std::map<std::array<std::string, 3>, const OnnxFunction*> functions_;  ///< by domain, name and overload
};

}  // namespace whence::interchange
