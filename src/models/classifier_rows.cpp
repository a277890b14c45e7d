#include "models/classifier_rows.h"

#include "nn/graph/shapes.h"
#include "whence/core/error.h"

namespace whence::models {
namespace {

constexpr double row_sum_tolerance = 1e-3;
/// How far outside of [0, 1] inputs lie for which numbers from 0 to 1 are no accident.
constexpr double far = 100;

bool lie_between_0_and_1(const at::Tensor& rows) {
  return rows.min().item<double>() >= 0 && rows.max().item<double>() <= 1;
}

bool are_probabilities(const at::Tensor& rows) {
  return rows.size(1) > 1 && rows.min().item<double>() >= 0 &&
         (rows.sum(1) - 1).abs().max().item<double>() <= row_sum_tolerance;
}

/// Whether outputs stay in [0, 1] whatever the input: what ends in sigmoids, and nothing that ends in a linear layer.
bool stay_between_0_and_1(const nn::ScriptModule& module, const at::Tensor& samples, const at::Tensor& rows) {
  if (!lie_between_0_and_1(rows)) return false;
  const at::NoGradGuard no_grad;
  for (const double factor : {far, -far}) {
    const at::Tensor other = flat_rows(module(factor * samples).front().to(at::kFloat));
    if (at::isfinite(other).all().item<bool>() && !lie_between_0_and_1(other)) return false;
  }
  return true;
}

void check_label(const nn::ScriptModule& module, const at::Tensor& rows, std::int64_t label) {
  if (label < 0 || label >= rows.size(1))
    fail_usage("{} has the labels 0 to {}, but not {}", module.path().string(), rows.size(1) - 1, label);
}

}  // namespace

at::Tensor flat_rows(const at::Tensor& output) {
  if (output.dim() == 1) return output.unsqueeze(1);
  const bool unflattened = output.dim() > 2 && output[0].numel() == output.size(1);
  return unflattened ? output.flatten(1) : output;
}

Rows meaning_of(const nn::ScriptModule& module, const at::Tensor& samples, const at::Tensor& rows,
                const ClassifierReading& reading) {
  const std::string file = module.path().string();
  if (reading.label) check_label(module, rows, *reading.label);
  if (reading.output == ClassifierOutput::logits) return Rows::logits;
  const bool by_label = reading.label || rows.size(1) == 1;
  if (by_label && reading.output == ClassifierOutput::probabilities) {
    if (!lie_between_0_and_1(rows))
      fail(
          "{} should return probabilities, but its columns reach from {:.3g} to {:.3g}; it seems to return "
          "logits",
          file, rows.min().item<double>(), rows.max().item<double>());
    return Rows::labels;
  }
  if (by_label) return stay_between_0_and_1(module, samples, rows) ? Rows::labels : Rows::logits;
  if (are_probabilities(rows)) return Rows::probabilities;
  if (reading.output == ClassifierOutput::probabilities)
    fail(
        "{} should return probabilities, but its rows have a minimum of {:.3g} and sums from {:.4g} to "
        "{:.4g}; "
        "it seems to return logits",
        file, rows.min().item<double>(), rows.sum(1).min().item<double>(), rows.sum(1).max().item<double>());
  if (stay_between_0_and_1(module, samples, rows))
    fail(
        "{} returns numbers from 0 to 1 whose rows sum to {:.3g} to {:.3g}, so they are {} independent "
        "labels (sigmoids) and no "
        "choice among classes; explain one of them against its absence with --label 0 to {}, or take them as "
        "logits with "
        "--classifier-output logits",
        file, rows.sum(1).min().item<double>(), rows.sum(1).max().item<double>(), rows.size(1),
        rows.size(1) - 1);
  return Rows::logits;
}

}  // namespace whence::models
