// Test texts that an explanation is judged on, and what is shown of single ones.
#pragma once

#include "kinds/text/text.h"

namespace whence::kinds {

constexpr double kFar = 2;  ///< standard deviations of alpha between which an answer should flip

/// Test texts with their codes.
struct Subjects {
  at::Tensor texts, labels, mean, log_variance;
};
/// `count` random ones (0: all).
Subjects subjects_of(const TextModels& models, std::int64_t count, at::Generator& generator);

/// An alpha of every code, by its number from 0, set to `value`; the others stay.
at::Tensor with_alpha(const at::Tensor& codes, std::int64_t which, double value);
/// "alpha" where there is one, else "alpha_1", ...
std::string alpha_name(const TextModels& models, std::int64_t which);

/// The first `count` as they are, reconstructed, and with each alpha at several values; with the probability of the last class.
nlohmann::json sweeps_of(const TextModels& models, const Subjects& subjects, std::int64_t count);
/// The `count` whose probability of the last class changes most from -2 to +2 of an alpha, each with the alpha that changes it most:
/// {"text", "factor", "low", "high", "probability_low", "probability_high"}.
nlohmann::json most_moved(const TextModels& models, const Subjects& subjects, std::int64_t count);
/// Codes of some texts in two latents, the first alpha and the second or, where there is none, the beta with the largest flow: {"x", "y": their names, "points": [[x, y,
/// the classifier's answer]]}. `flow`: to_json of a FlowReport.
nlohmann::json plane_of(const TextModels& models, const Subjects& subjects, const nlohmann::json& flow);
/// The baselines: which words of the first `count` speak for the classifier's answer.
nlohmann::json word_maps_of(const TextModels& models, const Subjects& subjects, std::int64_t count,
                            at::Generator& generator);

}  // namespace whence::kinds
