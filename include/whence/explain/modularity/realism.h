// Whether hybrids are still images of the kind that the generator makes.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "whence/explain/modularity/measures.h"
#include "whence/models/evaluation/features.h"
#include "whence/models/evaluation/sample_quality.h"
#include "whence/models/roles.h"

namespace whence::modularity {

/// The squared error, summed over pixels, between an image of the generator and what encoder and decoder make of it. An image that the
/// generator cannot make has a large one.
struct Reencoding {
  Measured originals;
  std::array<Measured, kSwaps.size()> swaps;
};

/// Added image by image, as for_swaps shows them.
class ReencodingSums {
 public:
  ReencodingSums(const models::Encoder& encoder, const models::Decoder& decoder)
      : encoder_(encoder), decoder_(decoder) {}
  void add(const SwappedImages& images);
  Reencoding result() const;

 private:
  at::Tensor errors(const at::Tensor& images) const;

  const models::Encoder& encoder_;
  const models::Decoder& decoder_;
  std::vector<at::Tensor> originals_;  // (n) each
  std::array<std::vector<at::Tensor>, kSwaps.size()> swaps_;
};

/// Frechet distances of a set of images, in the features of a classifier. They grow as sets become smaller, so only sets of one size
/// compare.
struct SetDistance {
  std::optional<models::Estimated> to_real;  ///< nothing: there are no real images
  models::Estimated to_samples;              ///< of the generator
};
struct SetDistances {
  std::int64_t images = 0;  ///< of each set
  SetDistance originals;
  std::array<SetDistance, kSwaps.size()> swaps;
};

/// Added image by image, as for_swaps shows them. Each pair of originals gives one hybrid a swap; the modules take turns, so that
/// the sets of all swaps have as many images as there are pairs.
class DistanceSums {
 public:
  DistanceSums(const models::Features& features, const Modules& modules);
  void add(const SwappedImages& images);
  /// `real`: images (n, C, H, W), or undefined; `samples`: of the generator, which are none of the originals.
  SetDistances result(const at::Tensor& real, const at::Tensor& samples) const;

 private:
  const models::Features& features_;
  std::vector<std::int64_t> turns_;               // modules that have channels
  std::int64_t first_ = 0, next_ = 0;             // pairs before this batch, and after it
  std::set<std::pair<std::int64_t, Swap>> seen_;  // in this batch
  std::vector<at::Tensor> originals_;             // (n, features) each
  std::array<std::vector<at::Tensor>, kSwaps.size()> swaps_;
};

}  // namespace whence::modularity
