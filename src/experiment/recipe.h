// An experiment is data: a TOML file that names the data, the classifier, the generator, the explanation and
// the figures, and states what the source text reports. docs/recipes.md lists every key; it is printed by
// this package.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/trust.h"
#include "whence/data/pictures.h"
#include "whence/explain/counterfactual/counterfactual.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/train.h"
#include "whence/models/architectures.h"
#include "whence/models/roles.h"
#include "whence/models/train/classifier.h"
#include "whence/platform/precision.h"

namespace whence::experiment {

struct DataOptions {
  std::string set;                       ///< a known set, or of the user's own "idx" files or "pictures"
  std::string path;                      ///< folder; empty: where systems put the set
  std::vector<std::int64_t> classes;     ///< empty: all
  std::vector<std::string> class_names;  ///< of the user's own IDX files
  data::ImageForm form;                  ///< that images are brought to
};

/// Architectures are indices into models::classifier_architectures(). `network.image`, `network.classes`,
/// `training.seed`, `.precision` and `.checkpoint` come from data and run.
struct ClassifierOptions {
  std::size_t architecture = 0;
  std::string file;  ///< TorchScript; not empty: the user's own classifier is explained, none is trained
  models::ClassifierOutput output = models::ClassifierOutput::automatic;
  models::ClassifierRequest network;
  models::ClassifierTraining training;
  bool on_validation = false;  ///< it is trained on the validation images, too
};

/// Architectures are indices into models::autoencoder_architectures(). `network.image` and `.latents` come from data and explanation.
struct GeneratorOptions {
  std::size_t architecture = 0;
  std::int64_t latents = 0;  ///< > 0: of an autoencoder trained alone, without an explanation
  models::AutoencoderShape network;
};

/// In which precision a trained explanation is judged.
enum class EvaluationPrecision { float32, run };

struct EvaluationOptions {
  flow::FlowOptions flow;
  std::int64_t ablation_images = 0;  ///< test images that ablation is measured on; 0: all
  EvaluationPrecision precision = EvaluationPrecision::float32;
};

struct CounterfactualOptions {
  std::int64_t images = 500;  ///< test images to search for; 0: none
  counterfactual::CounterfactualOptions search;
};

struct FigureOptions {
  std::int64_t sweep_rows = 6;  ///< samples, spread over the classes
  double sweep_range = 3;       ///< values from -range to range are added to a latent
  std::int64_t sweep_steps = 7;
  std::int64_t strip_rows = 3;
  std::int64_t strip_steps = 25;
  std::int64_t others = 12;          ///< non-causal factors that are shown; 0: all
  bool probabilities = false;        ///< printed under each image
  std::int64_t counterfactuals = 9;  ///< test images whose counterfactual is drawn
};

struct RunOptions {
  std::int64_t seed = 0;
  std::int64_t threads = 0;  ///< 0: every core this process may use
  PrecisionRequest precision = PrecisionRequest::automatic;
  double checkpoint_seconds = 20;
};

/// What the source text reports, or earlier runs gave; shown in the report next to what was measured.
struct Expected {
  std::optional<double> accuracy, information_flow, sse, kl, largest_noncausal, noncausal_share, reencoded,
      alpha_replaced, beta_replaced, flip_rate, brightness;
  std::string source;
};

struct Recipe {
  std::string title, source;
  DataOptions data;
  ClassifierOptions classifier;
  GeneratorOptions generator;
  std::string start;          ///< folder with weights that the generator begins with; empty: none
  gce::Training explanation;  ///< `seed`, `precision` and the checkpoint come from run
  EvaluationOptions evaluation;
  CounterfactualOptions counterfactual;
  TrustOptions trust;
  FigureOptions figures;
  RunOptions run;
  Expected expected;
};

/// Reads and checks a recipe; `settings` are "section.key=value" and take precedence. Relative paths in the
/// file are relative to it, those in settings to the current folder; the recipe holds absolute ones. Errors
/// (usage), each with file, line, key and what is allowed: not TOML, an unknown key (names the nearest), a
/// wrong type, a value out of range, values that contradict each other.
Recipe load_recipe(const std::filesystem::path& file, const std::vector<std::string>& settings = {});
/// As load_recipe, from text; `name` stands for the file in errors and its folder is where paths start.
Recipe parse_recipe(std::string_view text, const std::filesystem::path& name,
                    const std::vector<std::string>& settings = {});

/// Every key with its value, as a recipe that parse_recipe reads back to the same values.
std::string to_toml(const Recipe& recipe);
/// {"section.key": value} of the keys that are one of `keys` or in the sections named there ("data",
/// "run.seed").
nlohmann::json recipe_values(const Recipe& recipe, const std::vector<std::string_view>& keys);
/// `values`, kept by an earlier version, with the keys that have come since: they were what is their default now.
nlohmann::json with_later_keys(const nlohmann::json& values, const std::vector<std::string_view>& keys);
/// The keys whose values are paths of files or folders, which count by what is there, not by where it lies.
std::vector<std::string> path_keys();

/// docs/recipes.md: every key with type, range, default, unit and meaning, in Markdown.
std::string recipe_reference();

}  // namespace whence::experiment
