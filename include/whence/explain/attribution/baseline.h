// Baselines: what an image is compared with, and what comes in the place of what is taken out of it.
#pragma once

#include <string>

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// Of every method that takes a baseline. Random ones are the same for all images.
struct Baseline {
  /// "own": what the method takes by itself, a grey level or, for masks, the blurred image. "0.5" or "1,0,0": a grey level, or a
  /// number for each channel. "mean": the mean of Options::references; "data": one of them. "blur": the image behind a Gaussian
  /// filter. "noise": N(0.5, noise^2), cut off at 0 and 1.
  std::string kind = "own";
  double blur = 0.1;   ///< deviation of the filter, as a share of the image's shorter side
  double noise = 0.2;  ///< deviation of the noise
  /// The baseline itself where it is defined, (C, H, W) or one for each image.
  at::Tensor image = {};
};

/// The baseline of each image, like Request::x; `own` is what "own" stands for. A baseline of all images is one image in memory,
/// expanded. Errors (usage): an unknown kind (suggests the nearest), a colour with another number of channels or outside of [0, 1], no
/// references, a baseline or references of another shape.
at::Tensor baseline_of(const Request& request, const Options& options, double level,
                       std::string_view own = "level");

inline constexpr Option kBaselineImage = {
    "baseline_image", TextOption{place<&Baseline::kind>}, "own|R,G,B|mean|data|blur|noise",
    "What an image is compared with: what the method takes by itself (own), a grey level or colour (0 to 1), "
    "the mean of images of the data, one of them, the blurred image, or noise."};
inline constexpr Option kBaselineBlur = {"baseline_blur", NumberOption{place<&Baseline::blur>, 0.001, 1},
                                         "share of the shorter side",
                                         "Standard deviation of the Gaussian filter of a blurred baseline."};
inline constexpr Option kBaselineNoise = {"baseline_noise", NumberOption{place<&Baseline::noise>, 0, 1},
                                          "share of the image's range",
                                          "Standard deviation of a baseline that is noise."};

}  // namespace whence::attribution
