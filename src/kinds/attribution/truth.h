// What is made of the trials on problems with a known answer: numbers, a figure and a page.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "report/figures.h"
#include "report/page.h"
#include "whence/explain/attribution/truth.h"

namespace whence::kinds {

using TruthTrials = std::vector<attribution::TruthTrial>;

/// {"problems": {name: {"title", "images", "accuracy", "methods": {name: {"precision": {"mean", "se"}, ..., "seconds_per_image"}},
/// "random_order": {...}, "edge_filter": {...}, "skipped": {name: reason}}}}
nlohmann::json to_json(const TruthTrials& trials);

/// Mean seconds for an image over the problems on which the method ran; NaN where there are none.
double truth_seconds(const nlohmann::json& trials, const std::string& method);
/// Sentences: which methods find the truth most often, and which are not better than an edge filter on any problem.
std::string truth_summary(const nlohmann::json& trials);

/// The first image of each problem, its true pixels and each method's map of it. Every map has its own scale.
report::ImageGrid truth_figure(const TruthTrials& trials);

/// `trials`: what to_json gives. The figure `stem` stands on it.
report::Page truth_page(const nlohmann::json& trials, const std::filesystem::path& stem);

}  // namespace whence::kinds
