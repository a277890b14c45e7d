// What is known of a tensor of an ONNX graph while its module is built.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <vector>

#include "interchange/onnx_sizes.h"

namespace whence::interchange {

struct OnnxOrder;
struct OnnxIndices;

/// One of: a constant; whole numbers that may hold the number of samples (a shape); a value that the module computes; a sequence.
struct OnnxValue {
  at::Tensor constant;
  std::optional<OnnxSizes> numbers;  ///< of a tensor of no or one dimension
  torch::jit::Value* computed = nullptr;
  std::vector<OnnxValue> sequence;  ///< or several values, as SplitToSequence makes

  OnnxSizes sizes;
  at::ScalarType type = at::kFloat;
  /// Where it is another value in another order, so that orders that cancel one another leave no trace.
  std::shared_ptr<const OnnxOrder> order;
  std::shared_ptr<const OnnxIndices> indices;  ///< of whole numbers, where they are known but for N
  std::shared_ptr<const OnnxValue> row_of;     ///< the value whose numbers it has in one row

  bool is_constant() const { return constant.defined(); }
  std::size_t rank() const { return sizes.size(); }
};

/// base.permute(dimensions), and flattened from dimension 1 on where `flat`.
struct OnnxOrder {
  OnnxValue base;
  std::vector<std::int64_t> dimensions;
  bool flat = false;
};

/// Whole numbers of which dimension 0 has the samples: base (1, ...) + per_sample times the sample's number.
struct OnnxIndices {
  at::Tensor base;
  std::int64_t per_sample = 0;
};

}  // namespace whence::interchange
