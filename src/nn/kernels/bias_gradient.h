// What a bias, and a ReLU behind it, pass back.
#pragma once

#include <ATen/core/Tensor.h>

namespace whence::nn {

struct BiasGradient {
  at::Tensor masked;  ///< the output's gradient where the ReLU passed something, all of it without one
  at::Tensor sum;     ///< of that over images and pixels, one a channel; undefined where none is wanted
};

}  // namespace whence::nn
