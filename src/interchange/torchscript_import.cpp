#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include "interchange/exported_program.h"
#include "interchange/onnx_file.h"
#include "interchange/script_answer.h"
#include "interchange/script_failure.h"
#include "interchange/script_module.h"
#include "interchange/script_pickles.h"
#include "interchange/zip_archive.h"
#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::nn {
namespace {

constexpr std::string_view how_to_export =
    "export it in Python with torch.export.save(torch.export.export(model.eval(), (images,), "
    "dynamic_shapes=({0: torch.export.Dim.AUTO},)), \"model.pt2\")";

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
    fail("{} holds Python objects (a state dict or a pickled model), not a model; {}", path.string(),
         how_to_export);
  }
  if (const auto* ours = dynamic_cast<const Error*>(&reason)) throw *ours;
  if (const std::string known = zip ? loading_failure_of(reason) : ""; !known.empty())
    fail("{} {}", path.string(), known);
  if (zip)
    fail("{} is not TorchScript that this LibTorch ({}) can load; {}", path.string(), TORCH_VERSION,
         how_to_export);
  fail("{} is no model file (.pt2, ONNX or TorchScript); {}", path.string(), how_to_export);
}

/// Weights in half or double precision.
bool has_other_floats(const torch::jit::Module& module) {
  const auto is_other = [](const at::Tensor& tensor) {
    return tensor.is_floating_point() && tensor.scalar_type() != at::kFloat;
  };
  for (const at::Tensor& parameter : module.parameters())
    if (is_other(parameter)) return true;
  for (const at::Tensor& buffer : module.buffers())
    if (is_other(buffer)) return true;
  return false;
}

}  // namespace

torch::jit::Module load_module(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) read_file(path);  // says whether it is missing or a folder
  if (interchange::is_exported_program(path)) return interchange::load_exported_program(path);
  if (interchange::is_onnx(path)) return interchange::load_onnx(path);
  try {
    if (interchange::is_zip(path)) interchange::check_script_pickles(path);
    torch::jit::Module module = torch::jit::load(path.string(), at::kCPU);
    module.eval();
    if (has_other_floats(module)) module.to(at::kFloat);
    return module;
  } catch (const std::exception& error) {
    explain_failure(path, error);
  }
}

ScriptModule::ScriptModule(const std::filesystem::path& path)
    : implementation_(std::make_shared<Implementation>(Implementation{load_module(path)})), path_(path) {
  if (!implementation_->module.find_method("forward")) {
    fail("{} has no forward method; {}", path.string(), how_to_export);
  }
}

std::vector<at::Tensor> ScriptModule::operator()(const at::Tensor& x) const {
  const Implementation& own = *implementation_;
  try {
    return call(own.module, own.method, own.entry, {x});
  } catch (const Error& error) {
    throw Error(fmt::format("{} {}", path_.string(), error.what()), error.code());
  } catch (const std::exception& error) {
    fail("{} {}", path_.string(), failure_of(error, x.sizes()));
  }
}

void ScriptModule::choose_output(const std::string& entry) {
  implementation_ = std::make_shared<Implementation>(*implementation_);
  implementation_->entry = entry;
}

std::vector<std::string> ScriptModule::output_names() const {
  const Implementation& own = *implementation_;
  const auto& returns = own.module.get_method(own.method).function().getSchema().returns();
  return returns.size() == 1 ? names_of_outputs(returns.front().type()) : std::vector<std::string>();
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
