// A generator that is cut at one of its layers. The channels of that layer are the internal variables that hybrids swap
// (Besserve et al. 2020, section 3.1).
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "whence/models/roles.h"
#include "whence/nn/graph/network.h"

namespace whence::modularity {

/// Indices of channels; a set.
using Channels = std::vector<std::int64_t>;

/// `count` of `channels` channels, without order. (Controls: a random set as large as a module.)
Channels random_channels(std::int64_t channels, std::int64_t count, at::Generator& generator);
/// The set as an index into tensors that lie where `place` does.
at::Tensor index_of(const Channels& set, const at::Tensor& place);

/// What n samples put into the part behind the cut. Row i of every tensor belongs to sample i.
struct Activations {
  at::Tensor maps;                 ///< of the layer, (n, K, h, w)
  std::vector<at::Tensor> others;  ///< of layers that lead past it, where the network has such ones

  std::int64_t size() const { return maps.size(0); }
  Activations rows(std::int64_t first, std::int64_t count) const;
  /// The samples with these numbers, each as often as it is named.
  Activations select(const at::Tensor& numbers) const;
};

/// The part before the cut runs once for each sample, the part behind it once for each hybrid. Nothing records gradients.
class Cut {
 public:
  /// `layer`: a layer of the decoder's network; "": its first convolution. `decoder` runs in float32; the cut network runs
  /// in `precision`. Errors (usage): a decoder whose layers are not known; a layer that does not exist (names the nearest),
  /// has no channels with height and width, does not depend on the latents or does not reach the image; a decoder whose
  /// output is no image.
  explicit Cut(const models::Decoder& decoder, std::string_view layer = "",
               Precision precision = Precision::float32);
  /// The same for a network with one row of latents as its input.
  explicit Cut(const nn::Network& network, std::string_view layer = "",
               Precision precision = Precision::float32);

  const nn::Network& network() const { return network_; }
  Precision precision() const { return execution_.precision; }
  const std::string& layer() const { return network_.layers()[layer_].name; }
  std::int64_t channels() const { return network_.layers()[layer_].shape[0]; }
  std::int64_t latents() const { return network_.input_shape()[0]; }
  const nn::Shape& image() const { return network_.output_shape(); }

  /// codes (n, latents)
  Activations before(const at::Tensor& codes) const;
  /// Images (n, C, H, W) of `activations`.
  at::Tensor behind(const Activations& activations) const;
  /// The images of codes.
  at::Tensor images(const at::Tensor& codes) const { return behind(before(codes)); }

  /// How many samples the part behind the cut takes at once within so many bytes.
  std::int64_t samples_within(std::int64_t bytes) const;

 private:
  nn::Network network_;
  nn::Execution execution_;
  nn::LayerId layer_ = 0;
  std::vector<nn::LayerId> given_;  ///< the layer, then those that lead past it
};

/// The maps with the channels of a set moved towards those of `donor`: (1 - strength) maps + strength donor. Strength 1 is
/// the swap of the paper. (n, K, h, w); `donor` may be one sample for all. Error (usage): a channel that is not there.
at::Tensor swapped(const at::Tensor& maps, const at::Tensor& donor, const Channels& set, double strength = 1);

/// The maps with the channels of a set moved from, or to, `centre` (K, h, w): centre + factor (maps - centre). 0 ablates them,
/// factors below 1 attenuate and above 1 amplify them.
at::Tensor scaled(const at::Tensor& maps, const at::Tensor& centre, const Channels& set, double factor);

/// Where the channels of a set come from.
struct Donor {
  at::Tensor codes;  ///< (n, latents), or (1, latents) for all
  Channels channels;
  double strength = 1;
};
/// The images of codes (n, latents) whose channels come, set by set, from donors; a later donor changes what an earlier one
/// left. Errors (usage): as `swapped`.
at::Tensor hybrids(const Cut& cut, const at::Tensor& codes, const std::vector<Donor>& donors);

}  // namespace whence::modularity
