// What a visualization asks of a classifier: a number for each image, which the image is changed to raise.
// Shapes: x (N, C, H, W) in [0, 1]; responses (N, U) for U units.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whence/models/roles.h"

namespace whence::visualization {

/// The goals of Olah et al. 2017, "The enemy of feature visualization" and before.
enum class Goal {
  probability,  ///< softmax(logits)[class]; can grow because other classes shrink
  logit,        ///< logits[class]
  neuron,       ///< one value of a layer: a channel at one place
  channel,      ///< the mean of a channel over its places
  layer,  ///< the mean square of all values of a layer: what it already sees, more of it (Mordvintsev et al. 2015)
  direction,  ///< the mean over places of the values along a direction d of the channels: <h, d> / |d|
};
std::string_view name_of(Goal goal);
/// Whether it asks for a layer. The goals of classes need no layers.
bool needs_layer(Goal goal);

struct Objective {
  Goal goal = Goal::logit;
  std::string layer;                ///< its name in Classifier::network(); "" for the goals of classes
  std::vector<std::int64_t> units;  ///< classes or channels; unused by layer and direction
  /// Row and column of a neuron in a layer with places; none: the middle.
  std::optional<std::pair<std::int64_t, std::int64_t>> place;
  at::Tensor directions;  ///< (U, channels of the layer), not zero
};

/// The objective on one classifier. Keeps a reference to it.
class Response {
 public:
  /// Errors (usage): an unknown layer (names the nearest), a layer without outputs of the image, a unit, place or direction
  /// that does not fit; no units. Errors: an opaque classifier that a layer is asked of, with the unsupported operation.
  Response(const models::Classifier& classifier, Objective objective);

  /// U.
  std::int64_t units() const { return units_; }
  const Objective& objective() const { return objective_; }
  const models::Classifier& classifier() const { return *classifier_; }
  /// The values of all units, (N, U). Differentiable in x.
  at::Tensor operator()(const at::Tensor& x) const;
  /// What pictures of one unit are compared by for diversity: values with places, (N, channels, places), of the layer, or of
  /// the last layer with places before it; the image's own where the layers are unknown. `response`: as above.
  struct Seen {
    at::Tensor response, texture;
  };
  Seen with_texture(const at::Tensor& x) const;

 private:
  at::Tensor of_output(const at::Tensor& output) const;

  const models::Classifier* classifier_;
  Objective objective_;
  std::int64_t units_ = 0;
  nn::LayerId layer_ = 0;                ///< of the goals of layers
  std::optional<nn::LayerId> textured_;  ///< the layer of with_texture
};

/// The number of units of a layer that a neuron or a channel can be asked of: its channels. Errors: those of Response.
std::int64_t channels_of(const models::Classifier& classifier, const std::string& layer);
/// Layers with places whose channels can be asked about, in order: convolutions, or what an activation makes of them.
std::vector<std::string> layers_with_channels(const nn::Network& network);

}  // namespace whence::visualization
