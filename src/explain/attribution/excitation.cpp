#include "whence/explain/attribution/excitation.h"

#include "explain/attribution/walk.h"

namespace whence::attribution {
Attribution excitation_backprop(const Request& request, const Options& options) {
  return walk_to_image(network_of_products(request.classifier), request, nn::rule("excitation"),
                       start_with_one, options);
}

Attribution excitation_difference(const Request& request, const Options& options) {
  const nn::Network network = network_of_products(request.classifier);
  const nn::Rules excitation(nn::rule("excitation"));
  nn::Rules against = excitation;
  against.layer(last_weights(network, "contrastive excitation backprop").name, nn::rule("inhibition"));
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
