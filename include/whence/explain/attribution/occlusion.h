// How far f falls when a part of the image is covered.
#pragma once

#include "whence/explain/attribution/baseline.h"

namespace whence::attribution {

struct Occlusion {
  std::int64_t window = 0;  ///< side of the square that covers; 0: a seventh of the shorter side, at least 4
  std::int64_t stride = 0;  ///< from one place of the square to the next; 0: half of the window
  double level = 0;         ///< grey level of the square, unless Baseline says what covers
};

/// For each pixel the mean of f(x) - f(x covered) over the squares that cover it, (N, 1, H, W) (Zeiler and Fergus 2014, section
/// 4.2). Squares at the lower and right edge may hang over it; every pixel is covered as long as the stride is at most the
/// window, else pixels between squares get 0.
Attribution occlusion(const Request& request, const Options& options);

inline constexpr Option kOcclusionOptions[] = {
    {"occlusion_window", IntegerOption{place<&Occlusion::window>, 0, 4096}, "pixels",
     "Side of the square that covers a part of the image; 0 is a seventh of the shorter side, at least 4."},
    {"occlusion_stride", IntegerOption{place<&Occlusion::stride>, 0, 4096}, "pixels",
     "Step from one place of the square to the next; 0 is half of the square."},
    {"occlusion_baseline", NumberOption{place<&Occlusion::level>, 0, 1}, "",
     "Grey level of the square; 0 is black."},
    kBaselineImage,
    kBaselineBlur,
    kBaselineNoise,
};

}  // namespace whence::attribution
