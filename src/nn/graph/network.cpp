#include "whence/nn/graph/network.h"

#include <fmt/ranges.h>

#include <span>

#include "nn/graph/shapes.h"
#include "nn/ops/operation.h"
#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::nn {
namespace {
/// Layers that an error names where none is like the one that was asked for.
constexpr std::size_t kNamed = 12;
}  // namespace

Network::Network(std::string name, Shape input) : name_(std::move(name)), outputs_{0} {
  const bool positive = std::all_of(input.begin(), input.end(), [](std::int64_t size) { return size >= 1; });
  if (input.empty() || !positive)
    fail("network \"{}\": an input of shape {} is impossible", name_, text_of(input));
  layers_.push_back({.name = "input",
                     .op = Input{},
                     .inputs = {},
                     .shape = std::move(input),
                     .parameters = {},
                     .buffers = {}});
}

LayerId Network::add(std::string layer, Op op) {
  return add(std::move(layer), std::move(op), {layers_.back().name});
}

LayerId Network::add(std::string layer, Op op, const std::vector<std::string>& inputs) {
  const std::string place = fmt::format("network \"{}\", layer \"{}\" ({})", name_, layer, name_of(op));
  if (layer.empty() || layer.find('.') != std::string::npos) {
    fail("{}: the name of a layer must not be empty or hold a dot", place);
  }
  for (const Layer& other : layers_) {
    if (other.name == layer) fail("{}: the name is taken by another layer ({})", place, name_of(other.op));
  }
  Layer added{.name = std::move(layer),
              .op = std::move(op),
              .inputs = {},
              .shape = {},
              .parameters = {},
              .buffers = {}};
  std::vector<Shape> shapes;
  for (const std::string& input : inputs) {
    added.inputs.push_back(find(input));
    shapes.push_back(layers_[added.inputs.back()].shape);
  }
  added.shape = infer_shape(added.op, shapes, place);
  const Operation& operation = operation_of(added.op);
  added.parameters = operation.parameters(added.op, shapes.front());
  added.buffers = operation.buffers(added.op, shapes.front());
  layers_.push_back(std::move(added));
  if (!outputs_named_) outputs_ = {layers_.size() - 1};
  return layers_.size() - 1;
}

void Network::set_outputs(const std::vector<std::string>& layers) {
  if (layers.empty()) fail("network \"{}\": needs at least one output", name_);
  std::vector<LayerId> outputs;
  for (const std::string& layer : layers) outputs.push_back(find(layer));
  outputs_ = std::move(outputs);
  outputs_named_ = true;
}

LayerId Network::find(std::string_view layer) const {
  std::vector<std::string_view> names;
  for (LayerId id = 0; id < layers_.size(); ++id) {
    if (layers_[id].name == layer) return id;
    names.push_back(layers_[id].name);
  }
  std::string hint = did_you_mean(layer, names);
  if (hint.empty() && !names.empty())
    hint =
        fmt::format("; it has {}{}", fmt::join(std::span(names).first(std::min(kNamed, names.size())), ", "),
                    names.size() > kNamed ? ", ..." : "");
  fail("network \"{}\": there is no layer \"{}\"{}", name_, layer, hint);
}

}  // namespace whence::nn
