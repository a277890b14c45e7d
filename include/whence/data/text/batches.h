// An endless, seeded, resumable stream of batches of texts that have the same length, so that no place is filled up.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "whence/data/text/vocabulary.h"

namespace whence::data {

struct TextBatch {
  at::Tensor numbers;  ///< int64, (n, T): all rows have T words
  at::Tensor rows;     ///< int64, (n): which texts they are
};

/// Every epoch has each text once. Texts of one length are shuffled and cut into batches, of which the last may be smaller; then the batches
/// are shuffled. Batch i depends on (seed, i) only. Error: no text.
class TextBatches {
 public:
  /// `numbers`: what to_numbers gives.
  TextBatches(const at::Tensor& numbers, std::int64_t batch_size, std::uint64_t seed);

  std::int64_t per_epoch() const { return per_epoch_; }
  TextBatch at(std::int64_t index);

 private:
  at::Tensor numbers_;
  std::int64_t batch_size_;
  std::uint64_t seed_;
  std::vector<std::pair<std::int64_t, at::Tensor>> by_length_;  ///< length, rows
  std::int64_t per_epoch_ = 0, epoch_ = -1;
  std::vector<TextBatch> batches_;  ///< of this epoch
};

}  // namespace whence::data
