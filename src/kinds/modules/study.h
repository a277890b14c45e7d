// Everything that is found out about the modules of one generator.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kinds/modules/modules.h"
#include "report/figures.h"
#include "report/page.h"
#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/explain/modularity/realism.h"
#include "whence/models/roles.h"

namespace whence::kinds {

/// What is looked at; a generator may have no encoder, images or classifier.
struct StudiedModels {
  const models::Decoder* decoder = nullptr;
  const models::Encoder* encoder = nullptr;
  const models::Classifier* classifier = nullptr;
  at::Tensor
      images;  ///< real ones, float32 (n, C, H, W), which an encoder makes originals of; undefined: none
};

/// Test images in random order, as many as are encoded at most.
at::Tensor images_to_encode(const data::Dataset& test, std::uint64_t seed);

/// Originals that modules are found with, and others that they are measured on.
struct StudiedOriginals {
  modularity::Originals found, measured;
  bool encoded = false;
};
/// Halves of the encoded images, or N(0, I). Errors: an encoder of other latents or of images of another size; too few images.
StudiedOriginals originals_of(const StudiedModels& models, const modularity::Cut& cut, OriginalSource source);

/// The same generator with new weights.
struct UntrainedControl {
  modularity::Modularity measured;
  modularity::Agreement halves;
};

struct SetEffect {
  modularity::Effect own;
  flow::FlowValue random;  ///< of as many channels at random
  modularity::ScaledAnswers scaled;
};
/// How the classifier depends on the layer.
struct LayerEffects {
  std::vector<SetEffect> modules;
  std::vector<flow::FlowValue> channels;  ///< empty: not asked for
  modularity::Effect all;
  std::vector<flow::FlowValue> latents;  ///< each on its own, from draws of N(0, I)
};

struct ModuleStudy {
  std::string layer;
  bool encoded = false;  ///< originals are images
  std::int64_t pairs = 0;
  double relative_error = 0;  ///< of the maps
  std::vector<modularity::RankStability> ranks;
  modularity::Modules modules;
  modularity::Modularity measured;
  std::optional<UntrainedControl> untrained;
  std::optional<modularity::Reencoding> reencoding;  ///< of hybrids; needs an encoder
  std::optional<modularity::SetDistances>
      distances;  ///< of hybrids; needs a classifier whose last layer is linear and known
  std::optional<LayerEffects> effects;
};

/// Errors: those of the parts.
ModuleStudy study_modules(const StudiedModels& models, const ModulesOptions& asked, std::uint64_t seed,
                          const ProgressCallback& progress);

/// {"layer", "rank", "ranks", "halves", "modules": [{"channels", ...}], "margin", "selectivity", ..., "untrained", "flow"}
nlohmann::json to_json(const ModuleStudy& study);

constexpr const char* kModulesFile = "modules.safetensors";
/// "maps", "weights", "templates", "labels", for Python and for the figures.
void save_modules(const modularity::Modules& modules, const std::filesystem::path& file);
modularity::Modules load_modules(const std::filesystem::path& file);

/// A module a row: its template, and the maps of channels with the largest weight for it.
report::ImageGrid maps_figure(const modularity::Modules& modules);
/// A pair of originals a column: both, and the hybrids by each module. `classifier` may be null.
report::ImageGrid hybrids_figure(const modularity::Cut& cut, const modularity::Modules& modules,
                                 const modularity::Pairs& pairs, const models::Classifier* classifier,
                                 const std::vector<std::string>& class_names);
/// An original whose channels of one module are moved to or from their mean: a module a row, a factor a column.
report::ImageGrid scaled_figure(const modularity::Cut& cut, const modularity::Modules& modules,
                                const at::Tensor& codes, const models::Classifier* classifier,
                                const std::vector<std::string>& class_names);
/// From what to_json gives.
report::LineChart stability_chart(const nlohmann::json& study);
report::BarChart flow_chart(const nlohmann::json& study, std::size_t classes);
/// What a page about modules alone answers.
std::string modules_answer(const nlohmann::json& study);
report::Section modules_report(const nlohmann::json& study);

}  // namespace whence::kinds
