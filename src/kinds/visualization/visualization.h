// The kind "visualization": images that make classes, neurons, channels, layers or directions of a classifier respond most.
#pragma once

#include <string>
#include <vector>

#include "experiment/kind.h"
#include "whence/explain/visualization/visualization.h"

namespace whence::kinds {

struct VisualizationOptions {
  std::vector<std::string> objectives;  ///< names of visualization::Goal; empty: none
  std::vector<std::string> layers;      ///< for the objectives of layers; empty: the last convolution
  std::vector<std::string> parametrizations = {"fourier"};
  std::int64_t units = 6;          ///< channels of each layer
  std::int64_t references = 2000;  ///< images of the data that pictures are compared with
  std::int64_t real = 3;           ///< of them shown beside the pictures
  bool norm = false;               ///< pictures keep the data's norms
  bool judge = true;               ///< a second classifier is trained that says what it sees
  std::string judge_file;          ///< the user's own one instead
  bool negative = false;           ///< also the pictures of the least response
  visualization::Options options;
};

/// The row of the table.
experiment::Kind visualization_kind();

/// Its part of a recipe. `whence visualize` has the same keys as flags.
config::Section visualization_section();

}  // namespace whence::kinds
