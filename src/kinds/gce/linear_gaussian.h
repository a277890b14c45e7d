// Problems of explain/gce/linear_gaussian.h from a recipe, and a page of what came out.
//
//   metrics.json (last; what to_json() gives, and the time that all trainings took)  run.json  report.html  figures/NAME_landscape (.png, .svg), of two dimensions with K = 1
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "whence/core/progress.h"
#include "whence/explain/gce/linear_gaussian.h"

namespace whence::kinds {

/// One problem, and how its generators are trained.
struct LinearGaussianProblem {
  std::string place;        ///< file:line, for errors
  std::string name, title;  ///< "hyperplane", "One hyperplane, K = 1"
  gce::LinearGaussian problem;
  gce::LinearGaussianTraining training;  ///< its seed is the request's

  /// Whether alpha has one direction, in a plane: then the landscape over all of them is drawn.
  bool has_landscape() const { return problem.covariance.size(0) == 2 && training.causal == 1; }
};

struct LinearGaussianRecipe {
  std::string title, source;
  std::vector<LinearGaussianProblem> problems;
};

/// Reads and checks a TOML file (keys: linear_gaussian_reference). Errors (usage), each with file, line, key and what is
/// allowed: those of a recipe (run/recipe.h); a covariance that is none; a problem whose answer is not known.
LinearGaussianRecipe load_linear_gaussian(const std::filesystem::path& file);
/// What may stand in the file, as Markdown.
std::string linear_gaussian_reference();

struct LinearGaussianRequest {
  std::filesystem::path folder;
  std::int64_t trainings = 5;  ///< of each problem, each from another start
  std::int64_t seed = 0;
};

/// What training found, against what must come out.
struct LinearGaussianResult {
  std::string name, title;  ///< of the problem
  std::int64_t causal = 1;
  double best_flow = 0;                ///< I(alpha; Y) of the answer, by quadrature, in nats
  std::vector<double> flows = {};      ///< of each training, by quadrature
  std::vector<double> angles = {};     ///< between what each training found and the answer, in degrees
  std::vector<double> distances = {};  ///< of each training from the data, KL in nats
  /// With two dimensions: where alpha's column points in the plane of the landscape, in degrees.
  std::vector<double> turns = {};
};

/// Learns the generator of each problem, `trainings` times, and writes the files above. Errors: a folder of something else
/// or of other problems, or that cannot be written to.
std::vector<LinearGaussianResult> run_linear_gaussian(const LinearGaussianRecipe& recipe,
                                                      const LinearGaussianRequest& request,
                                                      const ProgressCallback& progress = {});

/// {name: {"causal", "best_flow", "flow": {"median", "least"}, "angle_degrees": {"median", "most"}, "divergence"}}
nlohmann::json to_json(const std::vector<LinearGaussianResult>& results);

}  // namespace whence::kinds
