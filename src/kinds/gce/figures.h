// The figures of an explanation, from results to files. Each writes `stem`.png and `stem`.svg.
#pragma once

#include <ATen/core/Generator.h>

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "whence/data/dataset.h"
#include "whence/explain/counterfactual/counterfactual.h"
#include "whence/explain/flow/ablation.h"
#include "whence/explain/flow/sweep.h"

namespace whence::experiment {

/// `count` images of a data set, spread over its classes and sorted by class; drawn from `generator`.
struct Samples {
  at::Tensor images;                ///< float32 (n, C, H, W)
  std::vector<std::string> labels;  ///< the class names
};
Samples spread_samples(const data::Dataset& dataset, std::int64_t count, at::Generator& generator);

struct SweepFigure {
  std::string title, axis;
  std::vector<std::string> class_names, row_labels;
  std::string row_axis = "true class";  ///< what the row labels are
  bool probabilities = false;
};
void draw_sweep(const flow::Sweep& sweep, const SweepFigure& figure, const std::filesystem::path& stem);

/// Originals, reconstructions and both predicted classes.
void draw_reconstructions(const models::Encoder& encoder, const models::Decoder& decoder,
                          const models::Classifier& classifier, const Samples& samples,
                          const std::vector<std::string>& class_names, const std::filesystem::path& stem);

/// Rows: the images, their reconstructions, their counterfactuals, and what lies twice as far in the same direction, which shows it
/// more plainly than the border that a counterfactual stops at; each with its predicted class and that class's probability. Above each column how far alpha was moved ("none" where nothing was found). `images`: as many as are
/// to be drawn, the first ones that `counterfactuals` is of.
void draw_counterfactuals(const counterfactual::Counterfactuals& counterfactuals, const at::Tensor& images,
                          const models::Decoder& decoder, const models::Classifier& classifier,
                          const std::vector<std::string>& class_names, const std::filesystem::path& stem);

/// The factors that figures show, in their order: all causal ones, and of the others the `others` with the largest flow
/// (0: all). `flow`: gce::to_json of a FlowReport.
std::vector<std::string> shown_factors(const nlohmann::json& flow, std::int64_t others);

/// `factors`: those that get a bar beside alpha and beta.
void draw_flow(const nlohmann::json& flow, const std::vector<std::string>& factors, std::size_t classes,
               const std::filesystem::path& stem);

/// `ablation`: to_json of one; `factors`: in the order to draw, the first `causal` are alpha.
void draw_ablation(const nlohmann::json& ablation, const std::vector<std::string>& factors,
                   std::int64_t causal, const std::filesystem::path& stem);

/// {"original", "reencoded", "replaced": {factor: accuracy}, "samples"}
nlohmann::json to_json(const flow::Ablation& ablation, const std::vector<std::string>& factors);

}  // namespace whence::experiment
