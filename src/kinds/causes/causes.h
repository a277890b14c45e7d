// The kind "causes": which factors of a frozen generator move the classifier. The generator stays as it is; a map in front of it makes its latents
// from causal and other factors.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiment/kind.h"
#include "report/page.h"
#include "whence/core/progress.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/directions.h"
#include "whence/explain/gce/latent_map.h"
#include "whence/models/roles.h"

namespace whence::kinds {

struct CausesOptions {
  std::int64_t causal = 0;  ///< 0: none are sought
  gce::DirectionOptions directions;
  gce::LatentMapOptions map;
  std::int64_t outer = 100, inner = 100;  ///< draws of the information flow
  std::int64_t drawn = 6;                 ///< samples whose sweeps are drawn
};

/// The row of the table.
experiment::Kind causes_kind();
/// Its part of a recipe. `whence causes` has the same keys as flags.
config::Section causes_section();

struct CausesStudy {
  gce::LatentMap map;  ///< the one that is kept: bent, or a rotation
  flow::FlowReport directions;
  std::optional<flow::FlowReport> bent;  ///< empty: no map was trained
  bool bent_is_kept = false;             ///< its alpha has more flow

  const flow::FlowReport& kept() const { return bent_is_kept && bent ? *bent : directions; }
};

/// Errors: those of gce::causal_directions and gce::LatentMap.
CausesStudy study_causes(const models::Decoder& decoder, const models::Classifier& classifier,
                         const CausesOptions& options, std::uint64_t seed, const ProgressCallback& progress);

constexpr const char* kCausesFile = "causes.safetensors";
/// Writes the map, FOLDER/causes.safetensors, and where the decoder's layers are known the decoder behind it, FOLDER/causes.pt; returns the files' names.
std::vector<std::string> save_causes(const CausesStudy& study, const models::Decoder& decoder,
                                     const std::filesystem::path& folder);

/// {"causal", "latents", "flow": that of the kept map, "directions", "bent", "kept": "bent" or "directions", "beta_share"}
nlohmann::json to_json(const CausesStudy& study);
/// Share of the flow that the betas have, from 0 to 1.
double beta_share(const flow::FlowReport& report);

/// Writes the sweep of each causal factor, FOLDER/causes-alpha_1.png and .svg, ..., and returns their names.
std::vector<std::string> draw_causes(const models::Decoder& decoder, const models::Classifier& classifier,
                                     const gce::LatentMap& map, const CausesOptions& options,
                                     std::uint64_t seed, const std::vector<std::string>& class_names,
                                     const std::filesystem::path& folder);
/// From what to_json gives. `classes`: how many the classifier tells apart.
std::string causes_answer(const nlohmann::json& study, std::size_t classes);
report::Section causes_report(const nlohmann::json& study, std::size_t classes);

}  // namespace whence::kinds
