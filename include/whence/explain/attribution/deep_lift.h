// DeepLIFT: the distance of the score from that of a baseline, handed back from layer to layer.
#pragma once

#include "whence/explain/attribution/baseline.h"

namespace whence::attribution {

struct DeepLift {
  double level = 0;  ///< the baseline x' is an image of this grey, unless Baseline says otherwise
};

/// m (x - x'), m the multiplier that nn::rescale_rule hands back to the image (Shrikumar, Greenside and Kundaje 2017, sections 3.2 and
/// 3.5.1). A logit starts with 1. A probability starts with the mean slope of the softmax on the straight way between both logits. The
/// values sum to f(x) - f(x'), and `completeness_error` says how nearly (their "summation to delta"). Errors: those of baseline_of.
Attribution deep_lift(const Request& request, const Options& options);

inline constexpr Option kDeepLiftOptions[] = {
    {"deep_lift_baseline", NumberOption{place<&DeepLift::level>, 0, 1}, "",
     "Grey level of the baseline; 0 is black."},
    kBaselineImage,
    kBaselineBlur,
    kBaselineNoise,
};

}  // namespace whence::attribution
