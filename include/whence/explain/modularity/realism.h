// Whether hybrids are still images of the kind that the generator makes.
#pragma once

#include <array>
#include <vector>

#include "whence/explain/modularity/measures.h"
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

}  // namespace whence::modularity
