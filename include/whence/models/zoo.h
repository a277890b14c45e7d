// The architectures of the texts, each declared as a Network. Weights are not yet initialised.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "whence/nn/network.h"

namespace whence::models {

/// SPEC: Conv 1->32 3x3, ReLU, Conv 32->64 3x3, ReLU, MaxPool 2, Dropout, Linear 9216->128, ReLU, Dropout
/// 0.5, Linear 128->M (logits). O'Shaughnessy et al. 2020; GCE-C table 2.
struct BaseCnnOptions {
  nn::Shape image = {1, 28, 28};
  std::int64_t classes = 2;
  std::int64_t width =
      32;  ///< channels of the first convolution; the second has twice as many, the hidden layer four times
  bool channel_dropout =
      true;  ///< after the pooling: whole channels with 0.25 (GCE-B) or elements with 0.5 (GCE-A, GCE-C)
};
/// Errors (usage): images smaller than 6x6, no classes, no width.
nn::Network base_cnn(const BaseCnnOptions& options);

/// The convolutional VAE of GCE (GCE-C table 3). The texts state it for 28x28; every H x W whose sides are
/// multiples of 4 works: the encoder halves the image twice and its padded third convolution keeps the map of
/// H/4 x W/4, from which the decoder's H/4 + 1, H/2 and H follow. Errors (usage): other sizes, no latents, no
/// width.
struct CvaeOptions {
  nn::Shape image = {1, 28, 28};
  std::int64_t latents = 6;  ///< K + L
  std::int64_t width = 64;   ///< channels of every convolution
  bool batch_norm = false;   ///< CVAE-BN ("CVAEImageNet", GCE-B): behind every convolution, also the last one
};
/// x -> outputs "mean", "log_variance".
nn::Network cvae_encoder(const CvaeOptions& options);
/// z -> image in [0, 1] (last layer Sigmoid).
nn::Network cvae_decoder(const CvaeOptions& options);

}  // namespace whence::models
