// Upsampling and the convolution behind it as one layer.
//
// Doubling an image (every pixel becomes 2 x 2 equal ones) and convolving it with a 3 x 3 kernel w and padding 1 is a transposed
// convolution of stride 2 and padding 1, whose 4 x 4 kernel is the sum of four shifted copies of w, turned by half a turn. It does
// four products a pixel instead of nine and never writes the doubled image.
#pragma once

#include "whence/nn/graph/network.h"

namespace whence::modularity {

/// The same function with such pairs joined; the joined layer has the convolution's name. Float32 weights.
nn::Network with_joined_upsampling(const nn::Network& network);

}  // namespace whence::modularity
