// The pictures of one objective, in columns that are compared: a page of the gallery.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "kinds/visualization/visualization.h"
#include "report/figures.h"
#include "report/page.h"
#include "whence/core/progress.h"

namespace whence::kinds {

/// What pictures are made with and compared with.
struct GalleryModels {
  const models::Classifier& classifier;
  const models::Decoder* decoder = nullptr;
  const models::Classifier* judge = nullptr;
  at::Tensor images, labels;  ///< of the data, float32 (N, C, H, W), int64 (N)
  std::vector<std::string> class_names;
};

/// Pictures of all units made in one way.
struct GalleryColumn {
  std::string name, title;       ///< "control", "fourier", "fourier-negative"
  at::Tensor images, responses;  ///< (U, count, C, H, W), (U, count)
  at::Tensor seen;     ///< int64 (U, count): the judge's answers; of the explained classifier without a judge
  at::Tensor nearest;  ///< (U, count): distance to the data
  double seconds = 0;
};
struct GalleryPage {
  visualization::Goal goal = visualization::Goal::logit;
  std::string layer;
  std::vector<std::int64_t> units;
  std::vector<std::string> unit_names;
  std::vector<GalleryColumn> columns;  ///< the control first
  at::Tensor real;                     ///< (U, k, C, H, W): the images of the data with the largest responses
  at::Tensor quantile, spread;         ///< (U), of the data's responses
  double typical_distance = 0;         ///< between images of the data

  bool about_classes() const { return !visualization::needs_layer(goal); }
  /// "logit", "channel-conv1".
  std::string id() const;
};

/// The objectives that options ask for. `units`: these instead of the options' number; `directions`: these instead of those of
/// the classes. Errors (usage): those of Response; an objective of layers where an opaque classifier has none.
std::vector<visualization::Objective> asked_objectives(const VisualizationOptions& options,
                                                       const GalleryModels& models,
                                                       const std::vector<std::int64_t>& units = {},
                                                       const at::Tensor& directions = {});

/// The control and every parametrization of the options, measured. Errors: those of visualize.
GalleryPage make_page(const visualization::Objective& objective, const VisualizationOptions& options,
                      const GalleryModels& models, const ProgressCallback& progress);

/// {"goal", "layer", "units": [{"name", "quantile", "responses": {column: [...]}}], "columns": {name: {"title", "beyond", "transfer",
/// "distance", "seconds_per_picture"}}, "typical_distance"}: beyond is the share of pictures above the data's 99th percentile (below
/// their median, for the negative ones: not given), transfer the share that the judge sees as its class, distance the median
/// distance to the data in units of the typical one.
nlohmann::json to_json(const GalleryPage& page);

/// A row for each unit: its pictures by column, then real images. Borders tell the class that the judge sees.
report::ImageGrid gallery_figure(const GalleryPage& page, const std::vector<std::string>& class_names,
                                 bool judged);

/// For files: "logit/fourier", "logit/fourier/seen", "logit/real".
nn::NamedTensors tensors_of(const std::vector<GalleryPage>& pages);
/// What to_json and tensors_of kept: all that gallery_figure needs.
GalleryPage page_of(const nlohmann::json& metrics, const std::string& id, const nn::NamedTensors& tensors);

/// From metrics.visualization, without figures.
report::Section visualization_section_of(const nlohmann::json& metrics);
/// How often the pictures of classes transfer, by parametrization; "" where there is no second network.
std::string visualization_answer(const nlohmann::json& metrics);

}  // namespace whence::kinds
