// The figure of Parafita 2018 (figure 4.12): the path from the morph to the image in two rows, the mask, and what it adds and removes.
#pragma once

#include <optional>

#include "report/figures.h"
#include "whence/explain/attribution/path_mask.h"

namespace whence::kinds {

struct PathPictures {
  report::ImageGrid grid;
  report::LineChart gains;                  ///< of the masked path, step by step
  std::optional<report::LineChart> losses;  ///< of the published search, iteration by iteration
};

/// target: int64 (n), as the methods of the table take it: the classifier's answer, or, for a wrong answer, the true class. `names`: one a
/// row. Two rows an image: original, first half of the path, mask in green; reconstruction, second half, added (red) and removed (blue).
PathPictures path_pictures(const models::Classifier& classifier, const at::Tensor& images,
                           const at::Tensor& target, const std::vector<std::string>& class_names,
                           const attribution::Options& options);

}  // namespace whence::kinds
