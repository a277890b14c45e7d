// Parameters and buffers of a network, copied in and out.
#include <fmt/ranges.h>

#include <map>

#include "nn/graph/execute.h"
#include "nn/graph/shapes.h"
#include "nn/ops/operation.h"
#include "whence/core/error.h"
#include "whence/nn/graph/network.h"

namespace whence::nn {
namespace {

void append(NamedTensors& all, const Layer& layer, const NamedTensors& own) {
  for (const NamedTensor& entry : own) all.push_back({layer.name + "." + entry.name, entry.tensor});
}

std::string type_of(const at::Tensor& tensor) {
  std::string name = at::toString(tensor.scalar_type());
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

/// Why `given` does not fit `own`; "" if it does.
std::string difference(const at::Tensor& own, const at::Tensor& given) {
  if (own.sizes() != given.sizes()) {
    return fmt::format("has shape {} instead of {}", text_of(given.sizes()), text_of(own.sizes()));
  }
  if (own.scalar_type() != given.scalar_type()) {
    return fmt::format("holds {} instead of {}", type_of(given), type_of(own));
  }
  return "";
}

}  // namespace

NamedTensors Network::parameters() const {
  NamedTensors all;
  for (const Layer& layer : layers_) append(all, layer, layer.parameters);
  return all;
}

NamedTensors Network::state() const {
  NamedTensors all;
  for (const Layer& layer : layers_) {
    append(all, layer, layer.parameters);
    append(all, layer, layer.buffers);
  }
  return all;
}

void Network::load_state(const NamedTensors& state) {
  std::map<std::string_view, const at::Tensor*> given;
  std::vector<std::string> problems;
  for (const NamedTensor& entry : state) {
    if (!given.emplace(entry.name, &entry.tensor).second) {
      problems.push_back(fmt::format("\"{}\" is there twice", entry.name));
    }
  }
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  for (const NamedTensor& own : this->state()) {
    const auto found = given.find(own.name);
    if (found == given.end()) {
      problems.push_back(fmt::format("\"{}\" is missing", own.name));
      continue;
    }
    const std::string wrong = difference(own.tensor, *found->second);
    if (!wrong.empty()) problems.push_back(fmt::format("\"{}\" {}", own.name, wrong));
    copies.emplace_back(own.tensor, *found->second);
    given.erase(found);
  }
  for (const auto& [name, tensor] : given) problems.push_back(fmt::format("\"{}\" is not part of it", name));
  if (!problems.empty()) fail("the weights do not fit network \"{}\": {}", name_, fmt::join(problems, ", "));

  const at::NoGradGuard no_gradients;
  for (const auto& [own, value] : copies) own.copy_(value);
}

std::int64_t Network::parameter_count() const {
  std::int64_t count = 0;
  for (const NamedTensor& parameter : parameters()) count += parameter.tensor.numel();
  return count;
}

bool Network::mixes_samples() const {
  return std::any_of(layers_.begin(), layers_.end(),
                     [](const Layer& layer) { return operation_of(layer.op).mixes_samples; });
}

void Network::require_gradients(bool required) {
  for (const NamedTensor& parameter : parameters()) parameter.tensor.set_requires_grad(required);
}

Network Network::clone() const {
  Network copy = *this;
  for (Layer& layer : copy.layers_) {
    for (NamedTensor& parameter : layer.parameters) {
      parameter.tensor =
          parameter.tensor.detach().clone().set_requires_grad(parameter.tensor.requires_grad());
    }
    for (NamedTensor& buffer : layer.buffers) buffer.tensor = buffer.tensor.detach().clone();
  }
  return copy;
}

Network Network::clone(std::string name) const {
  Network copy = clone();
  copy.name_ = std::move(name);
  return copy;
}

Network Network::frozen(Precision precision) const {
  Network copy = clone();
  copy.require_gradients(false);
  const std::vector<bool> last = ends_of_paths(layers_);
  for (LayerId id = 0; id < layers_.size(); ++id) {
    if (!runs_in_bfloat16(layers_[id].op, precision, last[id])) continue;
    NamedTensor& weight = copy.layers_[id].parameters.front();
    weight.tensor = weight.tensor.to(at::kBFloat16);
  }
  return copy;
}

}  // namespace whence::nn
