#include "whence/explain/attribution/excitation.h"

#include "explain/attribution/walk.h"
#include "whence/core/error.h"

namespace whence::attribution {
namespace {

/// The last layer with weights that the logits depend on.
const nn::Layer& last_weights(const nn::Network& network) {
  const std::vector<nn::Layer>& layers = network.layers();
  std::vector<bool> needed(layers.size(), false);
  needed[network.outputs().front()] = true;
  for (nn::LayerId id = layers.size(); id-- > 0;) {
    if (!needed[id]) continue;
    const nn::Op& op = layers[id].op;
    if (std::holds_alternative<nn::Linear>(op) || std::holds_alternative<nn::Conv2d>(op)) return layers[id];
    for (const nn::LayerId input : layers[id].inputs) needed[input] = true;
  }
  fail_usage("contrastive excitation backprop negates the last layer's weights, but network \"{}\" has none",
             network.name());
}

}  // namespace

Attribution excitation_backprop(const Request& request, const Options& options) {
  return walk_to_image(network_of_products(request.classifier), request, nn::rule("excitation"),
                       start_with_one, options);
}

Attribution excitation_difference(const Request& request, const Options& options) {
  const nn::Network network = network_of_products(request.classifier);
  const nn::Rules excitation(nn::rule("excitation"));
  nn::Rules against = excitation;
  against.layer(last_weights(network).name, nn::rule("inhibition"));
  Attribution found = walk_to_image(network, request, excitation, start_with_one, options);
  found.values = found.values - walk_to_image(network, request, against, start_with_one, options).values;
  found.completeness_error = at::Tensor();
  return found;
}

Attribution contrastive_excitation_backprop(const Request& request, const Options& options) {
  Attribution found = excitation_difference(request, options);
  found.values = found.values.clamp_min(0);
  return found;
}

}  // namespace whence::attribution
