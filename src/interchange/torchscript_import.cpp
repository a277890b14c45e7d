#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "interchange/exported_program.h"
#include "interchange/onnx_file.h"
#include "interchange/script_module.h"
#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::nn {
namespace {

constexpr std::string_view how_to_export =
    "export it in Python with torch.jit.script(model.eval()).save(\"model.pt\")";

/// Whether a zip archive has its last record, without which it was cut off.
bool has_end(std::string_view archive) {
  constexpr std::size_t end_record_bytes = 22;
  const std::size_t at = archive.rfind("PK\x05\x06");
  return at != std::string_view::npos && at + end_record_bytes <= archive.size();
}

/// LibTorch tells apart neither a state dict, nor a pickled model, nor a damaged file. All that is needed to
/// do so is the magic number and, in a zip archive, the names of the members.
[[noreturn]] void explain_failure(const std::filesystem::path& path, const std::exception& reason) {
  const std::string bytes = read_file(path);
  const std::string_view view = bytes;
  const bool zip = view.starts_with("PK\x03\x04");
  const auto holds = [&](std::string_view member) { return view.find(member) != std::string_view::npos; };
  if (zip && !has_end(view)) {
    fail("{} is damaged or truncated; copy it again, or {}", path.string(), how_to_export);
  }
  if (view.starts_with("\x80") || (zip && !holds("/constants.pkl") && holds("/data.pkl"))) {
    fail("{} holds Python objects (a state dict or a pickled model), not TorchScript; {}", path.string(),
         how_to_export);
  }
  if (zip)
    fail("{} cannot be loaded as TorchScript ({}); {}", path.string(), sentence_of(reason), how_to_export);
  fail("{} is not a TorchScript file; {}", path.string(), how_to_export);
}

torch::jit::Module load_module(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) read_file(path);  // says whether it is missing or a folder
  if (interchange::is_exported_program(path)) return interchange::load_exported_program(path);
  if (interchange::is_onnx(path)) return interchange::load_onnx(path);
  try {
    torch::jit::Module module = torch::jit::load(path.string(), at::kCPU);
    module.eval();
    return module;
  } catch (const std::exception& error) {
    explain_failure(path, error);
  }
}

/// TorchScript puts its whole call stack in front of the reason: "... RuntimeError: the reason".
std::string reason_of(const std::exception& error) {
  const std::string text = error.what();
  const std::size_t at = text.rfind("Error: ");
  if (text.find("Traceback of TorchScript") == std::string::npos || at == std::string::npos)
    return sentence_of(error);
  return sentence_of(std::runtime_error(text.substr(at + 7, text.find('\n', at) - at - 7)));
}

void collect(const c10::IValue& answer, std::vector<at::Tensor>& tensors) {
  if (answer.isTensor()) {
    tensors.push_back(answer.toTensor());
  } else if (answer.isTuple()) {
    for (const c10::IValue& element : answer.toTupleRef().elements()) collect(element, tensors);
  } else if (answer.isList()) {
    for (const c10::IValue& element : answer.toListRef()) collect(element, tensors);
  } else if (!answer.isNone()) {  // None: an output that only training fills
    throw std::runtime_error("it returns " + answer.tagKind() + " where tensors are expected");
  }
}

}  // namespace

std::vector<at::Tensor> call(const torch::jit::Module& module, const at::Tensor& x) {
  // The optimising executor re-compiles during the first calls, which costs seconds and changes last bits on
  // the way.
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  std::vector<at::Tensor> tensors;
  // A copy of its own: modules write into their input, and view fails on channels-last memory.
  const at::Tensor own = x.clone(at::MemoryFormat::Contiguous);
  collect(module.get_method("forward")({own}), tensors);
  if (tensors.empty()) throw std::runtime_error("it returns no tensor");
  return tensors;
}

ScriptModule::ScriptModule(const std::filesystem::path& path)
    : implementation_(std::make_shared<Implementation>(Implementation{load_module(path)})), path_(path) {
  if (!implementation_->module.find_method("forward")) {
    fail("{} has no forward method; {}", path.string(), how_to_export);
  }
}

std::vector<at::Tensor> ScriptModule::operator()(const at::Tensor& x) const {
  try {
    return call(implementation_->module, x);
  } catch (const std::exception& error) {
    fail("{} does not accept an input of shape {}: {}", path_.string(), text_of(x.sizes()), reason_of(error));
  }
}

NamedTensors ScriptModule::parameters() const {
  NamedTensors parameters;
  for (const auto& parameter : implementation_->module.named_parameters()) {
    parameters.push_back({parameter.name, parameter.value});
  }
  return parameters;
}

void ScriptModule::require_gradients(bool required) {
  for (const at::Tensor& parameter : implementation_->module.parameters())
    parameter.set_requires_grad(required);
}

void ScriptModule::to(at::Device device) {
  implementation_->module.to(device);
  device_ = device;
}

}  // namespace whence::nn
