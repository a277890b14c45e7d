#include "explain/attribution/feature_maps.h"

#include <torch/csrc/autograd/autograd.h>

#include "explain/attribution/passes.h"
#include "whence/core/error.h"

namespace whence::attribution {
namespace {

/// The only layer that reads this one, where it completes it: a normalisation, an activation or the end of a skip connection.
std::optional<nn::LayerId> completed_by(const nn::Network& network, nn::LayerId layer) {
  std::vector<nn::LayerId> readers;
  for (nn::LayerId id = layer + 1; id < network.layers().size(); ++id)
    for (const nn::LayerId input : network.layers()[id].inputs)
      if (input == layer) readers.push_back(id);
  if (readers.size() != 1) return std::nullopt;
  const nn::Op& op = network.layers()[readers.front()].op;
  const bool completes = std::holds_alternative<nn::BatchNorm2d>(op) ||
                         std::holds_alternative<nn::Relu>(op) || std::holds_alternative<nn::LeakyRelu>(op) ||
                         std::holds_alternative<nn::Add>(op);
  return completes ? std::optional(readers.front()) : std::nullopt;
}

/// The last convolution before the output, in the order of execution, with what completes it.
nn::LayerId last_feature_maps(const nn::Network& network, std::string_view method) {
  for (nn::LayerId id = network.outputs().front() + 1; id-- > 0;) {
    if (!std::holds_alternative<nn::Conv2d>(network.layers()[id].op)) continue;
    while (const std::optional<nn::LayerId> next = completed_by(network, id)) id = *next;
    return id;
  }
  fail_usage("network \"{}\" has no convolution for {}; name a layer with height and width", network.name(),
             method);
}

}  // namespace

nn::LayerId feature_maps_of(const nn::Network& network, const std::string& name, std::string_view method) {
  if (name.empty()) return last_feature_maps(network, method);
  const nn::LayerId id = [&] {
    try {
      return network.find(name);
    } catch (const Error& error) {
      throw Error(error.what(), ExitCode::usage);
    }
  }();
  if (network.layers()[id].shape.size() != 3)
    fail_usage("{} needs a layer with height and width, which layer \"{}\" of network \"{}\" lacks", method,
               name, network.name());
  return id;
}

LayerGradient layer_gradient(const models::Classifier& classifier, nn::LayerId layer, const at::Tensor& x,
                             const at::Tensor& target, Score score) {
  const nn::Network& network = *classifier.network();
  const at::AutoGradMode with_gradients(true);
  at::Tensor value;
  const auto take = [&](const at::Tensor& output) { return value = output.detach().requires_grad_(); };
  const at::Tensor logits = network.intervene(x, {{layer, take}}, {.precision = classifier.precision()});
  if (!value.defined() || !logits.requires_grad())
    fail_usage("the logits of network \"{}\" do not depend on layer \"{}\"", network.name(),
               network.layers()[layer].name);
  const at::Tensor scores = of_target(logits, target, score);
  const at::Tensor gradient = torch::autograd::grad({scores.sum()}, {value}).front();
  return {value.detach().to(at::kFloat), gradient.to(at::kFloat), scores.detach()};
}

}  // namespace whence::attribution
