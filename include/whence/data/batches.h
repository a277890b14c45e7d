// An endless, seeded, resumable stream of batches.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "whence/data/dataset.h"

namespace whence::data {

struct Batch {
  at::Tensor images;  ///< float32 in [0, 1], (n, C, H, W), channels-last
  at::Tensor labels;  ///< int64, (n)
};

/// Shuffles once per epoch with its own random stream; the last, smaller batch of an epoch is kept
/// (`drop_last` = false) or dropped. Batch number i depends only on (seed, i), so training resumes at any
/// step. Batches lie on `device`, without one where the data set does. Errors: fewer images than one batch holds (with `drop_last`), no image at all.
class Batches {
 public:
  Batches(const Dataset& dataset, std::int64_t batch_size, std::uint64_t seed, bool drop_last = true,
          std::optional<at::Device> device = std::nullopt);

  std::int64_t per_epoch() const { return per_epoch_; }
  /// Batch `index` counted from the beginning of training; epoch = index / per_epoch().
  Batch at(std::int64_t index);

 private:
  Dataset dataset_;  // shares the tensors
  std::int64_t batch_size_;
  std::uint64_t seed_;
  at::Device device_;
  std::int64_t per_epoch_;
  std::int64_t epoch_ = -1;
  at::Tensor order_;
};

}  // namespace whence::data
