// The experiments of explain/gce/linear_gaussian.h, and a page of what came out.
//
//   metrics.json (last)  run.json  report.html  figures/hyperplane_landscape, figures/and_landscape (.png, .svg)
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "whence/core/progress.h"

namespace whence::run {

struct LinearGaussianRequest {
  std::filesystem::path folder;
  std::int64_t trainings = 5;  ///< of each experiment, each from another start
  std::uint64_t seed = 0;
};

/// One experiment: what training found, against what must come out.
struct LinearGaussianResult {
  const char *name, *title;  ///< "hyperplane", "One hyperplane, K = 1"
  std::int64_t causal = 1;
  double best_flow = 0;                ///< I(alpha; Y) of the answer, by quadrature, in nats
  std::vector<double> flows = {};      ///< of each training, by quadrature
  std::vector<double> angles = {};     ///< between what each training found and the answer, in degrees
  std::vector<double> distances = {};  ///< of each training from the data, KL in nats
  /// With two dimensions: where alpha's column points in the plane of the landscape, in degrees.
  std::vector<double> turns = {};
};

/// Learns the generators of a hyperplane (K = 1) and of an AND of two (K = 1 and 2), `trainings` times each, and writes
/// the files above. Errors: a folder of something else, or that cannot be written to.
std::vector<LinearGaussianResult> run_linear_gaussian(const LinearGaussianRequest& request,
                                                      const ProgressCallback& progress = {});

/// {name: {"causal", "best_flow", "flow": {"median", "least"}, "angle_degrees": {"median", "most"}, "divergence"}}
nlohmann::json to_json(const std::vector<LinearGaussianResult>& results);

}  // namespace whence::run
