#include <fmt/ranges.h>
#include <torch/csrc/jit/serialization/import.h>

#include "interchange/script_module.h"
#include "nn/ops/operation.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/interchange/torchscript.h"

namespace whence::nn {
namespace {

using torch::jit::Module;

std::string forward_source(const Network& network) {
  std::string source = "def forward(self, x):\n";
  const std::vector<Layer>& layers = network.layers();
  for (LayerId id = 0; id < layers.size(); ++id) {
    const Layer& layer = layers[id];
    const std::string expression = operation_of(layer.op).torchscript(layer.op, {layer});
    source += fmt::format("  {} = {}\n", script_variable(id), expression);
  }
  std::vector<std::string> outputs;
  for (const LayerId id : network.outputs()) outputs.push_back(script_variable(id));
  return source + fmt::format("  return {}\n", fmt::join(outputs, ", "));
}

at::Tensor stored(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU, at::kFloat).clone(at::MemoryFormat::Contiguous);
}

/// Python's Module.eval() expects the attribute in every module.
void set_evaluation_mode(Module& module) {
  module.register_attribute("training", c10::BoolType::get(), false);
}

Module module_of(const Network& network) {
  const auto unit = std::make_shared<torch::jit::CompilationUnit>();
  Module module("__torch__.whence.Network", unit);
  set_evaluation_mode(module);
  for (const Layer& layer : network.layers()) {
    if (layer.parameters.empty() && layer.buffers.empty()) continue;
    if (module.hasattr(layer.name) || layer.name == "forward") {
      fail(
          "layer \"{}\" of network \"{}\" cannot be exported under this name: PyTorch uses it itself; rename "
          "the "
          "layer",
          layer.name, network.name());
    }
    Module child(fmt::format("__torch__.whence.{}", name_of(layer.op)), unit, /*shouldMangle=*/true);
    set_evaluation_mode(child);
    for (const NamedTensor& parameter : layer.parameters) {
      child.register_parameter(parameter.name, stored(parameter.tensor).set_requires_grad(true),
                               /*is_buffer=*/false);
    }
    for (const NamedTensor& buffer : layer.buffers) child.register_buffer(buffer.name, stored(buffer.tensor));
    module.register_module(layer.name, child);
  }
  if (!module.hasattr(input_shape_attribute))
    module.register_attribute(input_shape_attribute, c10::ListType::ofInts(), network.input_shape());
  module.define(forward_source(network));
  return module;
}

}  // namespace

void export_torchscript(const Network& network, const std::filesystem::path& path) {
  const Module module = module_of(network);
  // Not to the file itself: LibTorch's writer ends the program when the disk is full.
  std::stringstream bytes;
  module.save(bytes);
  // LibTorch writes names that it cannot read again, such as "import".
  try {
    torch::jit::load(bytes);
  } catch (const std::exception& error) {
    fail("network \"{}\" cannot be exported with its layers' names ({}); rename the layer", network.name(),
         sentence_of(error));
  }
  write_file(path, bytes.str());
}

}  // namespace whence::nn
