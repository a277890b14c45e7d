#include "interchange/script_builder.h"

#include <cctype>

#include "nn/graph/shapes.h"
#include "whence/core/error.h"

namespace whence::nn {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return lower;
}

void copy_value(const Network& network, const Layer& layer, const NamedTensor& value) {
  for (const NamedTensors* own : {&layer.parameters, &layer.buffers}) {
    for (const NamedTensor& target : *own) {
      if (target.name != value.name) continue;
      if (target.tensor.sizes() != value.tensor.sizes()) {
        fail("network \"{}\", layer \"{}\": {} has shape {} instead of {}", network.name(), layer.name,
             value.name, text_of(value.tensor.sizes()), text_of(target.tensor.sizes()));
      }
      target.tensor.copy_(value.tensor);
    }
  }
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string name, const Shape& input,
                               std::map<const void*, std::string> tensor_names)
    : name_(std::move(name)), tensor_names_(std::move(tensor_names)) {
  layers_.push_back({.name = "input", .op = Input{}, .inputs = {}, .shape = input, .values = {}});
}

bool NetworkBuilder::is_taken(const std::string& name) const {
  return std::any_of(layers_.begin(), layers_.end(),
                     [&](const Planned& layer) { return layer.name == name; });
}

/// The name of the module that holds the weight, else the operation and a number ("relu2").
std::string NetworkBuilder::name_for(const Op& op, const NamedTensors& values) {
  std::string base = lower_case(name_of(op));
  if (!values.empty()) {
    const auto found = tensor_names_.find(values.front().tensor.data_ptr());
    const std::size_t dot = found == tensor_names_.end() ? std::string::npos : found->second.rfind('.');
    if (dot != std::string::npos) {
      base = found->second.substr(0, dot);
      std::replace(base.begin(), base.end(), '.', '_');
      if (!is_taken(base)) return base;
      base += '_';
    }
  }
  std::string name;
  do {
    name = base + std::to_string(++unnamed_[base]);
  } while (is_taken(name));
  return name;
}

LayerId NetworkBuilder::add(Op op, const std::vector<LayerId>& inputs, NamedTensors values) {
  std::string name = name_for(op, values);
  std::vector<Shape> shapes;
  for (const LayerId input : inputs) shapes.push_back(layers_[input].shape);
  Shape shape = infer_shape(op, shapes, fmt::format("layer \"{}\" ({})", name, name_of(op)));
  layers_.push_back({std::move(name), std::move(op), inputs, std::move(shape), std::move(values)});
  return layers_.size() - 1;
}

void NetworkBuilder::add_bias(LayerId linear, const at::Tensor& bias) {
  std::get<Linear>(layers_[linear].op).bias = true;
  layers_[linear].values.push_back({"bias", bias});
}

void NetworkBuilder::keep_features(LayerId linear, const at::Tensor& features) {
  Planned& layer = layers_[linear];
  std::get<Linear>(layer.op).features = features.numel();
  layer.shape = {features.numel()};
  for (NamedTensor& value : layer.values) value.tensor = value.tensor.index_select(0, features);
}

Network NetworkBuilder::build(const std::vector<LayerId>& outputs) const {
  const at::NoGradGuard no_grad;
  Network network(name_, layers_.front().shape);
  for (LayerId id = 1; id < layers_.size(); ++id) {
    std::vector<std::string> inputs;
    for (const LayerId input : layers_[id].inputs) inputs.push_back(layers_[input].name);
    network.add(layers_[id].name, layers_[id].op, inputs);
    for (const NamedTensor& value : layers_[id].values) copy_value(network, network.layers().back(), value);
  }
  std::vector<std::string> names;
  for (const LayerId output : outputs) names.push_back(layers_[output].name);
  network.set_outputs(names);
  return network;
}

}  // namespace whence::nn
