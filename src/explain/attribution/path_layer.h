// Paths through images, as the maps of a layer of the classifier see them. Parafita 2018 asks for masks on activations of a convolution instead of
// pixels (chapter 6): a channel's map says what is at a place, not how bright it is.
//
// With A_i the layer's value for image x_i of the path, a mask m (h, w) changes what the layers behind it see,
//   J(m) = sum over i < n of f(A_i + m (A_(i+1) - A_i)) - f(A_i),   f: the probability of the image's class.
// Shapes: paths (N, n, C, H, W); masks (N, 1, h, w), one value for all channels of a place.
#pragma once

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// Sum over the path and over channels of (A_(i+1) - A_i) times the mean of the gradients of f at both: the places' share of the rise,
/// (N, 1, h, w); summed over places f(x_n) - f(x_1), but for the trapezoid rule's error and for ways around the layer. (The conductance of
/// Dhamdhere, Sundararajan and Yan 2019 on the generator's path.)
at::Tensor layer_gradients_along(const models::Classifier& classifier, nn::LayerId layer,
                                 const at::Tensor& paths, const at::Tensor& target, Score score,
                                 std::int64_t batch);

/// f(A_i + m (A_(i+1) - A_i)) - f(A_i) of the target's probability for each step, (N, n - 1); its sum is J(m).
at::Tensor layer_mask_gains(const models::Classifier& classifier, nn::LayerId layer, const at::Tensor& paths,
                            const at::Tensor& target, const at::Tensor& masks, std::int64_t batch);

}  // namespace whence::attribution
