// Whole numbers that count on from sample to sample.
#include <ATen/ops/zeros.h>

#include "interchange/onnx_operators.h"

namespace whence::interchange {
namespace {

constexpr double kLargest = 1e12;  ///< of numbers that are places in a tensor

std::vector<std::int64_t> shape_of_one(const OnnxSizes& sizes) {
  std::vector<std::int64_t> shape;
  for (const OnnxSize& size : sizes) shape.push_back(size.count);
  return shape;
}

bool only_reshapes(std::string_view operation) {
  return operation == "Reshape" || operation == "Unsqueeze" || operation == "Squeeze";
}

/// Of an input; of a constant that is the same for all samples of a result of this rank.
std::optional<OnnxIndices> indices_of(const OnnxValue& value, std::size_t rank) {
  if (value.indices) return value.rank() == rank ? std::optional(*value.indices) : std::nullopt;
  const bool same = value.is_constant() && !value.constant.is_floating_point() &&
                    (value.rank() < rank || (value.rank() == rank && value.sizes.front() == OnnxSize{1}));
  return same ? std::optional(OnnxIndices{value.constant.to(at::kLong), 0}) : std::nullopt;
}

std::optional<OnnxIndices> combined(const OnnxCall& call, std::string_view operation,
                                    const OnnxValue& result) {
  if (operation == "Range") return OnnxIndices{at::zeros({1}, at::TensorOptions(at::kLong)), 1};
  const std::optional<OnnxIndices> a = indices_of(call.input(0), result.rank());
  if (operation == "Expand" && a) return a;
  if (only_reshapes(operation) && call.input(0).indices) return *call.input(0).indices;
  if (operation != "Add" && operation != "Mul") return std::nullopt;
  const std::optional<OnnxIndices> b = indices_of(call.input(1), result.rank());
  if (!a || !b) return std::nullopt;
  if (operation == "Add") return OnnxIndices{a->base + b->base, a->per_sample + b->per_sample};
  const OnnxIndices &counting = a->per_sample != 0 ? *a : *b, &factor = a->per_sample != 0 ? *b : *a;
  if (factor.per_sample != 0 || factor.base.numel() != 1) return std::nullopt;
  const auto times = factor.base.item<std::int64_t>();
  if (std::abs(static_cast<double>(times) * static_cast<double>(counting.per_sample)) > kLargest)
    return std::nullopt;
  return OnnxIndices{counting.base * times, counting.per_sample * times};
}

}  // namespace

void note_indices(OnnxCall& call, std::string_view operation, OnnxValue& result) {
  const bool counts = result.computed != nullptr && result.type == at::kLong && result.rank() > 0 &&
                      result.sizes.front() == OnnxSize{1, true} &&
                      std::none_of(result.sizes.begin() + 1, result.sizes.end(),
                                   [](const OnnxSize& size) { return size.batch; });
  if (!counts) return;
  std::optional<OnnxIndices> indices = combined(call, operation, result);
  if (!indices) return;
  const std::vector<std::int64_t> shape = shape_of_one(result.sizes);
  call.emitter().spend(elements_of(result.sizes).count);
  indices->base = only_reshapes(operation) ? indices->base.reshape(shape) : indices->base.expand(shape);
  result.indices = std::make_shared<OnnxIndices>(std::move(*indices));
}

}  // namespace whence::interchange
