#include "whence/explain/attribution/relevance.h"

#include "explain/attribution/walk.h"

namespace whence::attribution {
namespace {

bool is_convolution(const nn::Op& op) {
  return std::holds_alternative<nn::Conv2d>(op) || std::holds_alternative<nn::ConvTranspose2d>(op);
}

/// Layers with weights that read the image through no other layer with weights.
std::vector<bool> first_layers(const nn::Network& network) {
  const std::vector<nn::Layer>& layers = network.layers();
  std::vector<bool> behind_weights(layers.size(), false), first(layers.size(), false);
  for (nn::LayerId id = 1; id < layers.size(); ++id) {
    for (const nn::LayerId input : layers[id].inputs)
      if (behind_weights[input]) behind_weights[id] = true;
    const bool has_weights =
        is_convolution(layers[id].op) || std::holds_alternative<nn::Linear>(layers[id].op);
    first[id] = has_weights && !behind_weights[id];
    if (has_weights) behind_weights[id] = true;
  }
  return first;
}

nn::Rule rule_for(std::string_view name, const Lrp& options) {
  if (name == "epsilon") return nn::rule(name, {{"epsilon", options.epsilon}});
  if (name == "gamma") return nn::rule(name, {{"gamma", options.gamma}});
  if (name == "alpha_beta") return nn::rule(name, {{"alpha", 2}, {"beta", 1}});
  if (name == "z_box") return nn::rule(name, {{"low", 0}, {"high", 1}});
  return nn::rule(name);
}

}  // namespace

nn::Rules rules_of(const Composite& composite, const nn::Network& network, const Lrp& options) {
  nn::Rules rules(rule_for(composite.others, options));
  const std::vector<bool> first = first_layers(network);
  for (nn::LayerId id = 1; id < network.layers().size(); ++id) {
    const nn::Layer& layer = network.layers()[id];
    if (first[id])
      rules.layer(layer.name, rule_for(composite.first, options));
    else if (is_convolution(layer.op))
      rules.layer(layer.name, rule_for(composite.convolutions, options));
  }
  return rules;
}

Attribution lrp_of(const Composite& composite, const Request& request, const Options& options) {
  const nn::Network network = network_of_products(request.classifier);
  return walk_to_image(network, request, rules_of(composite, network, options.of<Lrp>()), start_with_score,
                       options);
}

}  // namespace whence::attribution
