#include "whence/interchange/word_module.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/freeze_module.h>

#include <map>
#include <mutex>

#include "interchange/onnx_file.h"
#include "interchange/script_answer.h"
#include "interchange/script_failure.h"
#include "interchange/script_module.h"
#include "whence/core/error.h"

namespace whence::nn {

/// A module with a second method, which takes the vectors, and its table.
using CutModule = std::pair<torch::jit::Module, at::Tensor>;

/// What is made for texts of one length when they are first asked; from several threads.
template <class Made>
class ByLength {
 public:
  template <class Make>
  const Made& at(std::int64_t length, const Make& make) {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(length);
    return found != known_.end() ? found->second : known_.emplace(length, make()).first->second;
  }

 private:
  std::map<std::int64_t, Made> known_;
  std::mutex mutex_;
};

namespace {

constexpr const char* kBehindEmbedding = "whence_behind_embedding";

/// What leaves whole numbers as they are.
bool keeps_numbers(const torch::jit::Node& node) {
  const std::string_view name = node.kind().toQualString();
  return name == "aten::to" || name == "aten::contiguous" || name == "aten::clone" || name == "aten::long";
}

/// Whether a value is the graph's input, but for its type.
bool is_input(const torch::jit::Value* value, const torch::jit::Graph& graph) {
  while (keeps_numbers(*value->node())) value = value->node()->inputs()[0];
  return graph.inputs().size() > 1 && value == graph.inputs()[1];
}

/// The table of a look-up of the graph's input; undefined for any other node.
at::Tensor table_of(const torch::jit::Node& node, const torch::jit::Graph& graph) {
  if (std::string_view(node.kind().toQualString()) != "aten::embedding" || !is_input(node.inputs()[1], graph))
    return {};
  const auto table = torch::jit::toIValue(node.inputs()[0]);
  return table && table->isTensor() ? table->toTensor() : at::Tensor();
}

/// Gives the graph the vectors as an input in place of the look-up; returns the table. Error: says what stands in the way.
at::Tensor cut(const std::shared_ptr<torch::jit::Graph>& graph) {
  torch::jit::Node* found = nullptr;
  at::Tensor table;
  for (torch::jit::Node* node : graph->nodes()) {
    at::Tensor own = table_of(*node, *graph);
    if (!own.defined()) continue;
    if (found != nullptr) fail("its words are looked up in several tables");
    found = node;
    table = std::move(own);
  }
  if (found == nullptr) fail("no embedding looks up its words");
  torch::jit::Value* vectors = graph->addInput("vectors");
  vectors->setType(found->output()->type());
  found->output()->replaceAllUsesWith(vectors);
  torch::jit::EliminateDeadCode(graph);
  return table;
}

CutModule cut_module(torch::jit::Module module, const std::filesystem::path& path) {
  for (const at::Tensor& parameter : module.parameters()) parameter.set_requires_grad(false);
  try {
    module = torch::jit::freeze_module(module);
    const std::shared_ptr<torch::jit::Graph> graph = module.get_method("forward").graph()->copy();
    at::Tensor table = cut(graph).detach().to(at::kFloat);
    const auto type = module.type()->name();  // an optional of LibTorch's own in 1.13
    if (!type) fail("its class has no name");
    const c10::QualifiedName name(*type, kBehindEmbedding);
    module.type()->addMethod(module._ivalue()->compilation_unit()->create_function(name, graph));
    return {std::move(module), std::move(table)};
  } catch (const std::exception& error) {
    const auto* own = dynamic_cast<const Error*>(&error);
    fail(
        "{} cannot be cut behind its word vectors: {}; export a model that takes word vectors, and set "
        "text_classifier.input to vectors",
        path.string(), own != nullptr ? own->what() : "its code cannot be read");
  }
}

constexpr std::int64_t kSomeWords = 5;

/// The answer to `inputs`, of which the first tells in errors what was asked.
std::vector<at::Tensor> answer_of(const torch::jit::Module& module, const char* method,
                                  const std::filesystem::path& path, const std::vector<at::Tensor>& inputs) {
  try {
    return call(module, method, "", inputs);
  } catch (const Error& error) {
    throw Error(fmt::format("{} {}", path.string(), error.what()), error.code());
  } catch (const std::exception& error) {
    fail("{} {}", path.string(), failure_of(error, inputs.front().sizes()));
  }
}

}  // namespace

struct WordModule::Implementation {
  bool onnx = false;  ///< such a file's module is made for texts of one length; others' for any, 0
  ByLength<CutModule> known;

  const CutModule& module_for(std::int64_t words, const std::filesystem::path& path) {
    return known.at(onnx ? words : 0, [&] {
      return cut_module(
          onnx ? interchange::load_onnx_of_texts(path, {words, /*vectors=*/false}) : load_module(path), path);
    });
  }
};

WordModule::WordModule(std::filesystem::path path)
    : implementation_(std::make_shared<Implementation>()), path_(std::move(path)) {
  implementation_->onnx = std::filesystem::is_regular_file(path_) && interchange::is_onnx(path_);
  table_ = implementation_->module_for(kSomeWords, path_).second;
}

std::vector<at::Tensor> WordModule::operator()(const at::Tensor& numbers, const at::Tensor& vectors) const {
  return answer_of(implementation_->module_for(numbers.size(1), path_).first, kBehindEmbedding, path_,
                   {numbers, vectors});
}

struct OnnxVectorModule::Implementation {
  ByLength<torch::jit::Module> known;

  const torch::jit::Module& module_for(std::int64_t words, const std::filesystem::path& path) {
    return known.at(words, [&] { return interchange::load_onnx_of_texts(path, {words, /*vectors=*/true}); });
  }
};

OnnxVectorModule::OnnxVectorModule(std::filesystem::path path)
    : implementation_(std::make_shared<Implementation>()), path_(std::move(path)) {
  implementation_->module_for(kSomeWords, path_);
}

std::vector<at::Tensor> OnnxVectorModule::operator()(const at::Tensor& vectors) const {
  return answer_of(implementation_->module_for(vectors.size(1), path_), "forward", path_, {vectors});
}

}  // namespace whence::nn
