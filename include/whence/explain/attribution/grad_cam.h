// Channels of a layer, weighed by how much the score depends on them.
#pragma once

#include <string>

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

struct GradCam {
  /// Whose channels are weighed. "": those of the last convolution, behind the normalisation, the sum of a skip connection and the
  /// activation function that follow it.
  std::string layer;
};

/// max(sum_k a_k A_k, 0) with A_k channel k of the layer and a_k the mean of df/dA_k over its pixels, at the layer's resolution
/// (N, 1, h, w) (Selvaraju et al. 2017, equations 1 and 2). Errors (usage): no such layer (suggests the nearest), a layer without
/// height and width, no convolution.
Attribution grad_cam_of_layer(const Request& request, const Options& options);

/// The same, enlarged bilinearly to the image, (N, 1, H, W).
Attribution grad_cam(const Request& request, const Options& options);

inline constexpr Option kGradCamOptions[] = {
    {"grad_cam_layer", TextOption{place<&GradCam::layer>}, "",
     "The layer whose channels are weighed; empty stands for the last convolution and its activation "
     "function."},
};

}  // namespace whence::attribution
