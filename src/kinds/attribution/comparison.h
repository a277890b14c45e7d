// Several methods on the same images, measured side by side.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "kinds/attribution/attribution.h"
#include "report/figures.h"
#include "report/page.h"
#include "whence/core/progress.h"
#include "whence/data/dataset.h"

namespace whence::kinds {

using AttributionMethods = std::vector<const attribution::Method*>;
/// In the order of the names; all methods without names. Error (usage): no such method.
AttributionMethods attribution_methods(const std::vector<std::string>& names);
/// Whether one of them has this need.
bool need(attribution::Needs needs, const AttributionMethods& methods);
/// Whether one of them starts from codes of known images, as morphs do; translations have none.
bool need_codes(const AttributionMethods& methods, const attribution::Options& options);

/// Puts what the methods need of the training images into the options: references, and images that methods learn from, drawn by
/// options.options.seed.
void add_training_images(AttributionOptions& options, const data::Dataset& train,
                         const AttributionMethods& methods);

struct MeasuredMaps {
  const attribution::Method* method = nullptr;  ///< null: regions in random order
  attribution::Attribution found;
  std::vector<at::Tensor>
      measures;        ///< (N) each, in the order of attribution::measures(); undefined where not measured
  double seconds = 0;  ///< for all maps
};
/// Maps that hold rounding alone: they are drawn empty, with a sentence.
bool is_empty(const MeasuredMaps& maps);
std::string empty_sentence(std::string_view method);
struct Comparison {
  std::vector<MeasuredMaps> methods;
  MeasuredMaps random;  ///< what any order reaches
  MeasuredMaps edges;   ///< what a map reaches that knows the image, but no classifier
  std::vector<std::pair<std::string, std::string>>
      skipped;  ///< methods that the model does not allow, and why
};

/// The maps, without measures. `may_skip`: a method that the model does not allow is noted, else it is an error; costly methods are left out for
/// large images. `options.options` holds references, generator and seed.
Comparison map_methods(const models::Classifier& classifier, const at::Tensor& images,
                       const at::Tensor& target, const AttributionMethods& methods,
                       const AttributionOptions& options, bool may_skip, const ProgressCallback& progress);

/// Measures the maps of `comparison`, a random order and an edge filter. A method without `compute` stands for maps that were made elsewhere:
/// what asks a method again is not measured for them. Parameters: as map_methods.
void measure_maps(Comparison& comparison, const models::Classifier& classifier, const at::Tensor& images,
                  const at::Tensor& target, const AttributionOptions& options,
                  const ProgressCallback& progress);

/// The maps, measured. Parameters: as map_methods.
Comparison compare_methods(const models::Classifier& classifier, const at::Tensor& images,
                           const at::Tensor& target, const AttributionMethods& methods,
                           const AttributionOptions& options, bool may_skip,
                           const ProgressCallback& progress);

/// {"score", "methods": {name: {"morf": {"mean", "se"}, ..., "completeness_error", "seconds_per_image"}}, "random_order": {...},
/// "edge_filter": {...}}; "path_baseline" where there are path methods
nlohmann::json to_json(const Comparison& comparison, const AttributionOptions& options);

/// The images, and a row of maps for each method. The maps of a row share one colour scale, which its label states. At most the first
/// `shown` images.
report::ImageGrid attribution_figure(const Comparison& comparison, const at::Tensor& images,
                                     const at::Tensor& target, const std::vector<std::string>& class_names,
                                     std::int64_t shown);

/// Of one method's measures in what to_json gives.
double mean_of(const nlohmann::json& metrics, std::string_view measure);

/// Which map to believe, from what to_json gives: a sentence or two in plain words, and its reasons.
struct Verdict {
  std::string method;  ///< a name of the table; "": no map deserves it
  std::string text;
};
Verdict verdict_of(const nlohmann::json& metrics);

/// Methods by measures, from what to_json gives; the best by the first measure comes first.
report::Section attribution_section_of(const nlohmann::json& metrics);

/// Folded.
report::Section measures_section();

/// The page that `whence attribute --out` writes: the verdict, the figure `stem`, the table, and what maps_layer gives.
report::Page attribution_page(const nlohmann::json& metrics, const std::filesystem::path& stem,
                              std::string layer);

}  // namespace whence::kinds
