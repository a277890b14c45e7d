#include "nn/graph/shapes.h"

#include <fmt/ranges.h>

#include <numeric>

#include "nn/ops/operation.h"
#include "whence/core/error.h"

namespace whence::nn {

std::int64_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::string text_of(at::IntArrayRef shape) {
  return shape.empty() ? "nothing" : fmt::format("{}", fmt::join(shape, "x"));
}

Shape infer_shape(const Op& op, const std::vector<Shape>& inputs, const std::string& place) {
  const Operation& operation = operation_of(op);
  if (operation.joins ? inputs.size() < 2 : inputs.size() != 1) {
    fail("{}: takes {}, not {}", place, operation.joins ? "two inputs or more" : "one input", inputs.size());
  }
  return operation.shape(op, {inputs, place});
}

}  // namespace whence::nn
