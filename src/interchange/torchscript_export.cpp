#include <fmt/ranges.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/interchange/torchscript.h"

namespace whence::nn {
namespace {

using torch::jit::Module;

/// A literal that TorchScript reads as the very same float: "0.1", "1.0", "1e-05".
std::string literal(double value) { return nlohmann::json(value).dump(); }

std::string pair(std::int64_t value) { return fmt::format("[{0}, {0}]", value); }

std::string variable(LayerId id) { return fmt::format("x{}", id); }

/// Writes one layer as a TorchScript expression of its inputs.
class Expression {
 public:
  explicit Expression(const Layer& layer) : layer_(layer) {}

  std::string operator()(const Input&) const { return "x"; }
  std::string operator()(const Conv2d& op) const {
    return fmt::format("torch.conv2d({}, {}, {}, {}, {}, [1, 1], 1)", input(), tensor("weight"),
                       tensor("bias"), pair(op.stride), pair(op.padding));
  }
  std::string operator()(const ConvTranspose2d& op) const {
    return fmt::format("torch.conv_transpose2d({}, {}, {}, {}, {}, {}, 1, [1, 1])", input(), tensor("weight"),
                       tensor("bias"), pair(op.stride), pair(op.padding), pair(op.output_padding));
  }
  std::string operator()(const Linear&) const {
    return fmt::format("torch.linear({}, {}, {})", input(), tensor("weight"), tensor("bias"));
  }
  std::string operator()(const BatchNorm2d& op) const { return normalise(op.momentum, op.epsilon); }
  std::string operator()(const BatchNorm1d& op) const { return normalise(op.momentum, op.epsilon); }
  std::string operator()(const ScaleShift&) const {
    return fmt::format("{} * {} + {}", input(), tensor("scale"), tensor("shift"));
  }
  std::string operator()(const Relu&) const { return fmt::format("torch.relu({})", input()); }
  std::string operator()(const LeakyRelu& op) const {
    return fmt::format("torch.leaky_relu({}, {})", input(), literal(op.slope));
  }
  std::string operator()(const Sigmoid&) const { return fmt::format("torch.sigmoid({})", input()); }
  std::string operator()(const Tanh&) const { return fmt::format("torch.tanh({})", input()); }
  std::string operator()(const Softmax&) const { return fmt::format("torch.softmax({}, 1)", input()); }
  std::string operator()(const LogSoftmax&) const { return fmt::format("torch.log_softmax({}, 1)", input()); }
  std::string operator()(const MaxPool2d& op) const {
    return fmt::format("torch.max_pool2d({}, {}, {}, {}, [1, 1], False)", input(), pair(op.kernel),
                       pair(op.stride), pair(op.padding));
  }
  std::string operator()(const AvgPool2d& op) const {
    return fmt::format("torch.avg_pool2d({}, {}, {}, {}, False, True, None)", input(), pair(op.kernel),
                       pair(op.stride), pair(op.padding));
  }
  std::string operator()(const GlobalAvgPool2d&) const {
    return fmt::format("torch.adaptive_avg_pool2d({}, [1, 1])", input());
  }
  std::string operator()(const Dropout&) const { return input(); }
  std::string operator()(const Dropout2d&) const { return input(); }
  std::string operator()(const Flatten&) const { return fmt::format("torch.flatten({}, 1)", input()); }
  std::string operator()(const Reshape& op) const {
    return fmt::format("torch.reshape({0}, [{0}.size(0), {1}])", input(), fmt::join(op.shape, ", "));
  }
  std::string operator()(const ZeroPad2d& op) const {
    return fmt::format("torch.constant_pad_nd({}, [{}, {}, {}, {}], 0.0)", input(), op.left, op.right, op.top,
                       op.bottom);
  }
  std::string operator()(const UpsampleNearest2d& op) const {
    return fmt::format("torch.upsample_nearest2d({}, None, [{}, {}])", input(),
                       literal(static_cast<double>(op.factor)), literal(static_cast<double>(op.factor)));
  }
  std::string operator()(const Add&) const { return fmt::format("{}", fmt::join(inputs(), " + ")); }
  std::string operator()(const Concat&) const {
    return fmt::format("torch.cat([{}], 1)", fmt::join(inputs(), ", "));
  }

 private:
  std::string normalise(double momentum, double epsilon) const {
    return fmt::format("torch.batch_norm({}, {}, {}, {}, {}, False, {}, {}, False)", input(),
                       tensor("weight"), tensor("bias"), tensor("running_mean"), tensor("running_var"),
                       literal(momentum), literal(epsilon));
  }
  std::string input() const { return variable(layer_.inputs.front()); }
  std::vector<std::string> inputs() const {
    std::vector<std::string> names;
    for (const LayerId id : layer_.inputs) names.push_back(variable(id));
    return names;
  }
  /// getattr, because a layer's name need not be an identifier ("0").
  std::string tensor(std::string_view name) const {
    const auto has = [&](const NamedTensors& tensors) {
      return std::any_of(tensors.begin(), tensors.end(),
                         [&](const NamedTensor& t) { return t.name == name; });
    };
    if (!has(layer_.parameters) && !has(layer_.buffers)) return "None";
    return fmt::format("getattr(self, {}).{}", nlohmann::json(layer_.name).dump(), name);
  }

  const Layer& layer_;
};

std::string forward_source(const Network& network) {
  std::string source = "def forward(self, x):\n";
  const std::vector<Layer>& layers = network.layers();
  for (LayerId id = 0; id < layers.size(); ++id) {
    source += fmt::format("  {} = {}\n", variable(id), std::visit(Expression(layers[id]), layers[id].op));
  }
  std::vector<std::string> outputs;
  for (const LayerId id : network.outputs()) outputs.push_back(variable(id));
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
