// What an operation is asked to make of the shapes of its inputs.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "whence/core/error.h"
#include "whence/nn/ops/ops.h"

namespace whence::nn {

struct ShapeQuery {
  const std::vector<Shape>& inputs;
  const std::string& place;  ///< how an error's sentence begins: "network "a", layer "b" (Conv2d)"

  const Shape& input() const { return inputs.front(); }

  template <class... Args>
  void require(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition) fail("{}: {}", place, fmt::format(format, std::forward<Args>(args)...));
  }
  void require_image() const;
  void require_window(std::int64_t kernel, std::int64_t stride, std::int64_t padding) const;
  /// Height (dimension 1) or width (2) behind a sliding window.
  std::int64_t slide(std::size_t dimension, std::int64_t kernel, std::int64_t stride,
                     std::int64_t padding) const;
};

}  // namespace whence::nn
