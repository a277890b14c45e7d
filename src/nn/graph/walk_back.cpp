#include "whence/nn/graph/walk_back.h"

#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::nn {
namespace {

void check_batch(const Network& network, const Layer& layer, const at::Tensor& value, std::string_view what,
                 std::int64_t batch) {
  Shape sizes = {batch};
  sizes.insert(sizes.end(), layer.shape.begin(), layer.shape.end());
  if (value.defined() && value.sizes() == at::IntArrayRef(sizes)) return;
  fail("network \"{}\", layer \"{}\": the {} must have the shape {}, not {}", network.name(), layer.name,
       what, text_of(sizes), value.defined() ? text_of(value.sizes()) : "nothing");
}

void check_walk(const Network& network, const std::vector<at::Tensor>& activations, const Start& start) {
  const std::vector<Layer>& layers = network.layers();
  TORCH_CHECK(activations.size() == layers.size(), "network \"", network.name(),
              "\": a walk back needs the outputs of all ", layers.size(), " layers, not ",
              activations.size());
  TORCH_CHECK(start.layer < layers.size(), "network \"", network.name(), "\" has no layer ", start.layer);
  const at::Tensor& value = start.relevance;
  const std::int64_t batch = value.defined() && value.dim() > 0 ? value.size(0) : 0;
  check_batch(network, layers[start.layer], value, "relevance to start from", batch);
}

}  // namespace

Rules& Rules::layer(std::string name, Rule own) {
  layers_.insert_or_assign(std::move(name), std::move(own));
  return *this;
}

Rules& Rules::operation(std::string name, Rule own) {
  const std::vector<std::string_view> known = operation_names();
  if (std::find(known.begin(), known.end(), name) == known.end())
    fail_usage("there is no operation '{}'{}", name, did_you_mean(name, known));
  operations_.insert_or_assign(std::move(name), std::move(own));
  return *this;
}

const Rule& Rules::of(const Layer& layer) const {
  if (const auto own = layers_.find(layer.name); own != layers_.end()) return own->second;
  if (const auto own = operations_.find(name_of(layer.op)); own != operations_.end()) return own->second;
  return for_all_;
}

void Rules::check(const Network& network) const {
  for (const auto& [name, own] : layers_) network.find(name);
}

Relevance Network::walk_back(const std::vector<at::Tensor>& activations, const Start& start,
                             const Rules& rules) const {
  check_walk(*this, activations, start);
  rules.check(*this);
  const at::NoGradGuard no_gradients;
  Relevance relevance{std::vector<at::Tensor>(layers_.size())};
  relevance.layers[start.layer] = start.relevance.detach();
  for (LayerId id = start.layer; id > 0; --id) {
    const at::Tensor& own = relevance.layers[id];
    if (!own.defined()) continue;
    const Layer& layer = layers_[id];
    RuleCall call{*this, layer, {}, own};
    for (const LayerId input : layer.inputs) {
      check_batch(*this, layers_[input], activations[input], "activation", own.size(0));
      call.inputs.push_back(activations[input].detach());
    }
    const std::vector<at::Tensor> shares = rules.of(layer).function(call);
    for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
      at::Tensor& sum = relevance.layers[layer.inputs[i]];
      sum = sum.defined() ? sum + shares[i] : shares[i];
    }
  }
  return relevance;
}

}  // namespace whence::nn
