#include "whence/nn/graph/network.h"

#include <ATen/record_function.h>

#include "nn/graph/execute.h"
#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::nn {
namespace {

/// Which layers must be computed for `wanted` when the outputs of those in `given` are there.
std::vector<bool> needed_layers(const std::vector<Layer>& layers, const std::vector<LayerId>& wanted,
                                LayerId given) {
  std::vector<bool> needed(layers.size(), false);
  for (const LayerId id : wanted) {
    TORCH_CHECK(id < layers.size(), "no layer ", id);
    needed[id] = true;
  }
  for (LayerId id = layers.size(); id-- > 0;) {
    if (!needed[id] || id == given) continue;
    for (const LayerId input : layers[id].inputs) needed[input] = true;
  }
  return needed;
}

/// For each ReLU whose work another layer does, that layer: a maximum pooling that alone reads it, or the convolution
/// or batch normalisation that it alone reads. readers: how often each layer's output is wanted.
std::vector<std::optional<LayerId>> merged_relus(const std::vector<Layer>& layers,
                                                 const std::vector<bool>& needed,
                                                 const std::vector<std::size_t>& readers, LayerId given) {
  std::vector<std::optional<LayerId>> doer(layers.size());
  for (LayerId id = given + 1; id < layers.size(); ++id) {
    if (!needed[id]) continue;
    const LayerId input = layers[id].inputs.front();
    const bool reads_relu = input > given && std::holds_alternative<Relu>(layers[input].op);
    if (std::holds_alternative<MaxPool2d>(layers[id].op) && reads_relu && readers[input] == 1)
      doer[input] = id;
  }
  for (LayerId id = given + 1; id < layers.size(); ++id) {
    if (!needed[id] || doer[id] || !std::holds_alternative<Relu>(layers[id].op)) continue;
    const LayerId input = layers[id].inputs.front();
    const Op& op = layers[input].op;
    const bool takes_it = std::holds_alternative<Conv2d>(op) || std::holds_alternative<ConvTranspose2d>(op) ||
                          std::holds_alternative<BatchNorm2d>(op);
    if (takes_it && input > given && readers[input] == 1) doer[id] = input;
  }
  return doer;
}

/// Outputs of `wanted`, computed from `value` as the output of layer `given`. Intermediate results are
/// released as soon as no later layer reads them.
std::vector<at::Tensor> compute(const std::vector<Layer>& layers, const std::vector<LayerId>& wanted,
                                LayerId given, const at::Tensor& value, const Execution& execution) {
  const std::vector<bool> needed = needed_layers(layers, wanted, given);
  const std::vector<bool> last = ends_of_paths(layers);
  std::vector<std::size_t> readers(layers.size(), 0);
  for (const LayerId id : wanted) ++readers[id];
  for (LayerId id = given + 1; id < layers.size(); ++id) {
    if (!needed[id]) continue;
    for (const LayerId input : layers[id].inputs) ++readers[input];
  }

  const std::vector<std::optional<LayerId>> doer = merged_relus(layers, needed, readers, given);

  std::vector<at::Tensor> values(layers.size());
  values[given] = value;
  for (LayerId id = given + 1; id < layers.size(); ++id) {
    if (!needed[id]) continue;
    std::vector<at::Tensor> inputs;
    for (const LayerId input : layers[id].inputs) {
      inputs.push_back(values[input]);
      if (--readers[input] == 0) values[input].reset();
    }
    if (doer[id]) {
      values[id] = std::move(inputs.front());
      continue;
    }
    const bool relu = std::find(doer.begin(), doer.end(), std::optional(id)) != doer.end();
    values[id] = execute(layers[id], std::move(inputs), execution, last[id], relu);
  }

  std::vector<at::Tensor> results;
  for (const LayerId id : wanted) {
    const at::Tensor& result = values[id];
    results.push_back(result.scalar_type() == at::kBFloat16 ? result.to(at::kFloat) : result);
  }
  return results;
}

void check_shape(const Network& network, const Layer& layer, const at::Tensor& value) {
  if (value.dim() == 0 || value.sizes().slice(1) != at::IntArrayRef(layer.shape)) {
    fail("network \"{}\", layer \"{}\": expects a batch of {}, not a tensor of shape {}", network.name(),
         layer.name, text_of(layer.shape), text_of(value.sizes()));
  }
}

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
  added.parameters = make_parameters(added.op, shapes.front());
  added.buffers = make_buffers(added.op, shapes.front());
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
  fail("network \"{}\": there is no layer \"{}\"{}", name_, layer, did_you_mean(layer, names));
}

at::Tensor Network::forward(const at::Tensor& x, const Execution& execution) const {
  return activations(x, {outputs_.front()}, execution).front();
}

std::vector<at::Tensor> Network::forward_all(const at::Tensor& x, const Execution& execution) const {
  return activations(x, outputs_, execution);
}

std::vector<at::Tensor> Network::activations(const at::Tensor& x, const std::vector<LayerId>& wanted,
                                             const Execution& execution) const {
  RECORD_USER_SCOPE(name_);
  check_shape(*this, layers_.front(), x);
  return compute(layers_, wanted, 0, x, execution);
}

at::Tensor Network::run(LayerId from, LayerId to, const at::Tensor& value, const Execution& execution) const {
  const std::vector<bool> needed = needed_layers(layers_, {to}, from);
  TORCH_CHECK(from < layers_.size(), "no layer ", from);
  check_shape(*this, layers_[from], value);
  const auto refuse = [&](const std::string& reason) {
    fail("network \"{}\": layer \"{}\" cannot be computed from layer \"{}\" alone, because it {}", name_,
         layers_[to].name, layers_[from].name, reason);
  };
  if (!needed[from]) refuse("does not depend on it");
  // Everything before `from` that is needed reaches `to` around it; the latest such layer is the one to name.
  for (LayerId id = from; id-- > 0;) {
    if (needed[id]) refuse(fmt::format("also depends on layer \"{}\"", layers_[id].name));
  }
  return compute(layers_, {to}, from, value, execution).front();
}

}  // namespace whence::nn
