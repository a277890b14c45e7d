// The kind "counterfactual": the smallest move of an explanation's causal factors that changes the classifier's answer.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiment/kind.h"
#include "whence/explain/counterfactual/counterfactual.h"

namespace whence::kinds {

struct CounterfactualKindOptions {
  std::int64_t images = 500;  ///< test images to search for; 0: none
  std::int64_t drawn = 9;     ///< test images whose counterfactual is drawn
  counterfactual::CounterfactualOptions search;
};

/// The row of the table.
experiment::Kind counterfactual_kind();

/// Rows: the images, their reconstructions, their counterfactuals, and what lies twice as far in the same direction, which
/// shows it more plainly than the border that a counterfactual stops at; each with its predicted class and that class's
/// probability. Above each column how far alpha was moved ("none" where nothing was found). `images`: as many as are to be
/// drawn, the first ones that `counterfactuals` is of. Writes `stem`.png and `stem`.svg.
void draw_counterfactuals(const counterfactual::Counterfactuals& counterfactuals, const at::Tensor& images,
                          const models::Decoder& decoder, const models::Classifier& classifier,
                          const std::vector<std::string>& class_names, const std::filesystem::path& stem);

/// What `metrics.counterfactual` says, without its figure.
report::Section counterfactual_section(const nlohmann::json& counterfactual);

}  // namespace whence::kinds
