#include "experiment/metrics.h"

#include "kinds/gce/findings.h"
#include "kinds/gce/gce.h"

namespace whence::kinds {
namespace {

using Value = std::optional<double>;
using Json = nlohmann::json;

Value when(bool there, double value) { return there ? Value(value) : std::nullopt; }

/// Of the alphas: the largest absolute correlation of that kind.
Value alpha_brightness(const Json& metrics, const char* kind) {
  Value largest;
  for (const Json& factor : metrics.at("gce").at("brightness").at("factors"))
    if (factor.at("name").get<std::string>().starts_with("alpha"))
      largest = std::max(largest.value_or(0), std::abs(factor.at(kind).get<double>()));
  return largest;
}

}  // namespace

std::vector<experiment::Metric> gce_metrics() {
  using enum experiment::Better;
  return {
      {"flow", "I(alpha; Y)", "nats", 3, higher, "Information flow of all alphas together.",
       "gce.information_flow.alpha.nats"},
      {"largest_beta", "largest I(beta_i; Y)", "nats", 4, lower,
       "The largest information flow of a single beta.", "",
       [](const Json& m) {
         const Findings f = findings_of(m);
         return when(f.has_others, f.largest_other.value);
       }},
      {"beta_share", "share of the flow in the betas", "%", 2, lower,
       "I(beta; Y) / (I(alpha; Y) + I(beta; Y)), flows below 0 counted as 0.", "",
       [](const Json& m) {
         const Findings f = findings_of(m);
         return when(f.has_others && std::isfinite(f.noncausal_share), f.noncausal_share);
       }},
      {"alpha_kept", "accuracy, an alpha replaced (largest)", "%", 1, lower,
       "The largest accuracy on re-encoded images with noise for one alpha.", "",
       [](const Json& m) {
         const Findings f = findings_of(m);
         return when(!f.causal.empty(), f.alpha_kept.value);
       }},
      {"beta_kept", "accuracy, a beta replaced (smallest)", "%", 1, higher,
       "The smallest accuracy on re-encoded images with noise for one beta.", "",
       [](const Json& m) {
         const Findings f = findings_of(m);
         return when(f.has_others, f.beta_kept.value);
       }},
      {"alpha_cost", "accuracy that replacing an alpha costs, at least", "points", 1, higher,
       "What replacing an alpha costs at least: reencoded - alpha_kept.", "",
       [](const Json& m) {
         const Findings f = findings_of(m);
         return when(!f.causal.empty(), f.reencoded - f.alpha_kept.value);
       }},
      {"beta_cost", "accuracy that replacing a beta costs, at most", "points", 1, lower,
       "What replacing a beta costs at most: reencoded - beta_kept.", "",
       [](const Json& m) {
         const Findings f = findings_of(m);
         return when(f.has_others, f.reencoded - f.beta_kept.value);
       }},
      {"brightness", "correlation of an alpha with the brightness of generated images", "", 3, neither,
       "The largest correlation of an alpha with the brightness of generated images, in absolute value.", "",
       [](const Json& m) { return alpha_brightness(m, "generated"); }},
      {"brightness_encoded", "correlation of an alpha with the brightness of the test image it is read from",
       "", 3, neither, "The same with the brightness of the test images that it is read from.", "",
       [](const Json& m) { return alpha_brightness(m, "encoded"); }},
      {"same_causes", "correlation of the alphas with those of another training", "", 2, higher,
       "The mean canonical correlation with trust.other_run over the test images, 1 when they say the same.",
       "gce.trust.seeds.alpha_subspace"},
      {"training_seconds", "training of the explanation", "min", 1, lower, "The training of the generator.",
       "gce.train_seconds"}};
}

}  // namespace whence::kinds
