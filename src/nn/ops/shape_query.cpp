#include "nn/ops/shape_query.h"

#include "nn/graph/shapes.h"

namespace whence::nn {

void ShapeQuery::require_image() const {
  require(input().size() == 3, "needs an input of shape channels x height x width, not {}", text_of(input()));
}

void ShapeQuery::require_window(std::int64_t kernel, std::int64_t stride, std::int64_t padding) const {
  require(kernel >= 1 && stride >= 1 && padding >= 0,
          "kernel and stride must be at least 1 and padding at least 0, not {}, {} and {}", kernel, stride,
          padding);
}

std::int64_t ShapeQuery::slide(std::size_t dimension, std::int64_t kernel, std::int64_t stride,
                               std::int64_t padding) const {
  const std::int64_t size = input()[dimension];
  require(size + 2 * padding >= kernel, "kernel {} does not fit into {}x{} input{}", kernel, input()[1],
          input()[2], padding > 0 ? fmt::format(" padded by {}", padding) : "");
  return (size + 2 * padding - kernel) / stride + 1;
}

}  // namespace whence::nn
