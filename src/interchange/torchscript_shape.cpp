// What a TorchScript file tells of the inputs that it takes.
#include <torch/csrc/jit/passes/freeze_module.h>

#include <set>

#include "interchange/script_module.h"
#include "interchange/script_reader.h"
#include "nn/graph/shapes.h"
#include "whence/core/error.h"

namespace whence::nn {
namespace {

constexpr std::int64_t least_side = 8, greatest_side = 512;

/// The file's own word.
std::optional<Shape> told_shape(const torch::jit::Module& module) {
  if (!module.hasattr(input_shape_attribute)) return std::nullopt;
  const c10::IValue value = module.attr(input_shape_attribute);
  Shape shape;
  const auto append = [&](const c10::IValue& size) { shape.push_back(size.isInt() ? size.toInt() : 0); };
  if (value.isList()) {
    for (const c10::IValue& size : value.toListRef()) append(size);
  } else if (value.isTuple()) {
    for (const c10::IValue& size : value.toTupleRef().elements()) append(size);
  }
  const bool positive = std::all_of(shape.begin(), shape.end(), [](std::int64_t size) { return size >= 1; });
  return shape.empty() || !positive ? std::nullopt : std::optional(shape);
}

/// How many channels convolutions take: the first one's are among them.
std::set<std::int64_t> channels_of_convolutions(const torch::jit::Module& module) {
  std::set<std::int64_t> channels;
  for (const at::Tensor& parameter : module.parameters()) {
    if (parameter.dim() == 4) channels.insert(parameter.size(1));
  }
  return channels;
}

/// Why operations or weights do not fit inputs of that shape; "" when they do.
std::string misfit(const torch::jit::Graph& graph, const std::string& entry, const Shape& input) {
  try {
    NetworkBuilder builder("TorchScript", input, {});
    GraphReader(builder).read(graph, entry);
    return "";
  } catch (const std::exception& error) {
    return sentence_of(error);
  }
}

std::optional<Shape> only_square_image(const torch::jit::Module& module, const std::string& entry,
                                       std::string& obstacle) {
  const torch::jit::Module frozen = torch::jit::freeze_module(module);
  const std::shared_ptr<torch::jit::Graph> graph = frozen.get_method("forward").graph();
  std::optional<Shape> found;
  for (const std::int64_t channels : channels_of_convolutions(module)) {
    for (std::int64_t side = least_side; side <= greatest_side; ++side) {
      const Shape shape = {channels, side, side};
      const std::string reason = misfit(*graph, entry, shape);
      if (reason.empty() && found) {
        obstacle = fmt::format("images of {} and of {} both fit", text_of(*found), text_of(shape));
        return std::nullopt;
      }
      if (reason.empty()) found = shape;
      if (obstacle.empty()) obstacle = fmt::format("images of {} do not fit: {}", text_of(shape), reason);
    }
  }
  if (obstacle.empty()) obstacle = "it has no convolution whose weights tell the number of channels";
  return found;
}

}  // namespace

std::optional<Shape> ScriptModule::input_shape(std::string* obstacle) const {
  std::string reason;
  std::optional<Shape> shape = told_shape(implementation_->module);
  try {
    if (!shape) shape = only_square_image(implementation_->module, implementation_->entry, reason);
  } catch (const std::exception&) {
    reason = "its code is not understood";
  }
  if (!shape && obstacle != nullptr) *obstacle = reason;
  return shape;
}

}  // namespace whence::nn
