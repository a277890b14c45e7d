// Layers of a classifier whose outputs are maps, and gradients there.
#pragma once

#include <string>
#include <string_view>

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// The layer of this name; "": the last convolution, behind the normalisation, the sum of a skip connection and the activation function
/// that follow it. Errors (usage), which name `method`: no such layer (suggests the nearest), a layer without height and width, no
/// convolution.
nn::LayerId feature_maps_of(const nn::Network& network, const std::string& name, std::string_view method);

struct LayerGradient {
  at::Tensor activation, gradient;  ///< A and df/dA, (N, K, h, w)
  at::Tensor scores;                ///< f, (N)
};
/// The gradient at the layer's value, taken as it is: paths around the layer do no harm. Error (usage): the logits do not depend on it.
LayerGradient layer_gradient(const models::Classifier& classifier, nn::LayerId layer, const at::Tensor& x,
                             const at::Tensor& target, Score score);

}  // namespace whence::attribution
