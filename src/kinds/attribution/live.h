// The maps that a page lays over their images.
#pragma once

#include <string>

#include "kinds/attribution/comparison.h"

namespace whence::kinds {

struct ExplainedImages {
  at::Tensor images, target;        ///< (N, C, H, W) in [0, 1]; the explained class of each
  std::vector<std::string> labels;  ///< the true classes; empty: not known
  std::vector<std::string> class_names;
};

/// JSON for web/maps.js: at most the first `shown` images, fewer where they are large, their maps by every method as bytes, and the name of the method that is shown first.
std::string maps_layer(const Comparison& comparison, const ExplainedImages& images, const std::string& chosen,
                       std::int64_t shown);

}  // namespace whence::kinds
