// An experiment is data: a TOML file that names the data, the models, what is to be explained and how, and states what the
// source text reports. docs/recipes.md lists every key; it is printed by this package from the schema.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/kind.h"
#include "whence/data/pictures.h"
#include "whence/data/text/files.h"
#include "whence/models/architectures.h"
#include "whence/models/roles.h"
#include "whence/models/train/classifier.h"
#include "whence/models/train/vae.h"
#include "whence/platform/precision.h"

namespace whence::experiment {

struct About {
  std::string title, source;
};

struct DataOptions {
  /// A known set, of the user's own "idx" files, "pictures" or "texts", or "sst".
  std::string set;
  std::string path;                      ///< folder; empty: where systems put the set
  std::vector<std::int64_t> classes;     ///< empty: all
  std::vector<std::string> class_names;  ///< of the user's own IDX files
  data::ImageForm form;                  ///< that images are brought to
  data::TextColumns columns;             ///< of the user's own texts
  bool grades = false;                   ///< "sst": five classes instead of two
  std::string word_pieces;               ///< file of the pieces that texts are cut into; empty: words
};
/// Whether it names texts, not images.
bool is_text(const DataOptions& options);

/// Architectures are indices into models::classifier_architectures(). `network.image`, `network.classes`,
/// `training.seed`, `.precision` and `.checkpoint` come from data and run.
struct ClassifierOptions {
  std::size_t architecture = 0;
  std::string
      file;  ///< .pt2, ONNX or TorchScript; not empty: the user's own classifier is explained, none is trained
  models::ClassifierOutput output = models::ClassifierOutput::automatic;
  std::string entry;  ///< of a file with several outputs
  models::ClassifierRequest network;
  models::ClassifierTraining training;
  bool on_validation = false;  ///< it is trained on the validation images, too
};

/// Architectures are indices into models::autoencoder_architectures(). `network.image` and `.latents` are the session's.
struct GeneratorOptions {
  std::size_t architecture = 0;
  std::int64_t latents = 0;  ///< > 0: of a generator that is trained alone, without an explanation
  models::AutoencoderShape network;
  models::InitialWeights initial = models::InitialWeights::published;
  std::string start;  ///< folder with weights that its training begins with; empty: none
  std::string file;   ///< a user's decoder, which stays as it is; empty: it is trained
};

/// In which precision trained models are judged.
enum class JudgingPrecision { float32, run };
struct JudgingOptions {
  JudgingPrecision precision = JudgingPrecision::float32;
};

struct RunOptions {
  std::int64_t seed = 0;
  std::int64_t threads = 0;  ///< 0: every core this process may use
  PrecisionRequest precision = PrecisionRequest::automatic;
  std::string device = "cpu";  ///< as device_named takes it
  double checkpoint_seconds = 20;
};

/// What the source text reports, or earlier runs gave, by the name of the metric; the report shows it next to what was measured.
struct Expected {
  std::map<std::string_view, std::optional<double>> values;
  std::string source;
};

struct Recipe {
  const Kinds* kinds;
  config::Values values = {};

  template <class Options>
  const Options& get() const {
    return values.get<Options>();
  }
  template <class Options>
  Options& get() {
    return values.get<Options>();
  }
  std::int64_t seed() const { return get<RunOptions>().seed; }
};

/// Every section of a recipe: experiment's own, those of the kinds, [expected].
config::Schema schema_of(const Kinds& kinds);

/// Reads and checks a recipe; `settings` are "section.key=value" and take precedence. Errors: those of config::parse;
/// (usage) values that contradict each other.
Recipe load_recipe(const Kinds& kinds, const std::filesystem::path& file,
                   const std::vector<std::string>& settings = {});
/// As load_recipe, from text; `name` stands for the file in errors and its folder is where paths start.
Recipe parse_recipe(const Kinds& kinds, std::string_view text, const std::filesystem::path& name,
                    const std::vector<std::string>& settings = {});
/// Errors (usage): values that contradict each other.
void check_recipe(const Recipe& recipe, const std::string& name);

/// Every key with its value, as a recipe that parse_recipe reads back to the same values.
std::string to_toml(const Recipe& recipe);
/// {"section.key": value} of the keys that are one of `keys` or in the sections named there ("data", "run.seed").
nlohmann::json recipe_values(const Recipe& recipe, const std::vector<std::string_view>& keys);
/// `values` without what counts by what is there, not by where it lies: paths of files and folders.
nlohmann::json without_paths(const Kinds& kinds, nlohmann::json values);

/// docs/recipes.md: every key with type, range, default, unit and meaning, in Markdown.
std::string recipe_reference(const Kinds& kinds);

/// Experiment's own sections.
const config::Schema& base_sections();
/// A key for each metric, and "source".
config::Section expected_section(const Kinds& kinds);
/// The names of a table's rows.
template <class Rows>
std::vector<std::string_view> names_of(const Rows& rows) {
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

}  // namespace whence::experiment
