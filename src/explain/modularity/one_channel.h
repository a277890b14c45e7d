// Hybrids that differ from their first original in one channel.
//
// Between the cut and the next convolution layers often act on each channel by itself. A convolution adds up what its input
// channels give, so that a swap of channel k adds w_k * (c_k(b) - c_k(a)) to its output for a; that costs one K-th of it.
#pragma once

#include <optional>

#include "whence/explain/modularity/cut.h"

namespace whence::modularity {

class OneChannel {
 public:
  explicit OneChannel(const Cut& cut);

  /// Pairs of originals, and what their hybrids share.
  class Batch {
   public:
    /// Images of the first originals with `channel` of the second, (n, C, H, W). May be called from several threads.
    at::Tensor swapped(std::int64_t channel) const;

   private:
    friend class OneChannel;
    const OneChannel* owner_ = nullptr;
    Activations first_;      ///< at the cut, or at the convolution behind it
    at::Tensor difference_;  ///< second - first: of the cut's maps, or of the convolution's input
  };
  Batch batch(const Activations& first, const Activations& second) const;

 private:
  const Cut& cut_;
  std::optional<Cut> behind_;  ///< with joined upsampling, cut at the convolution behind, where there is one
  nn::LayerId from_ = 0, to_ = 0;        ///< the cut's layer, and the convolution's input
  std::vector<nn::Network> of_channel_;  ///< the convolution's part that reads one channel
  nn::Execution execution_;
};

}  // namespace whence::modularity
