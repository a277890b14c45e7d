#include "whence/explain/flow/trust.h"

#include <limits>

#include "explain/flow/assignment.h"
#include "explain/flow/classify.h"
#include "whence/core/error.h"

namespace whence::flow {
namespace {

using at::Tensor;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Below it a factor is constant.
constexpr double kConstant = 1e-6;

/// Columns with mean 0 and norm 1; constant ones become 0.
Tensor standardised(const Tensor& columns) {
  const Tensor centred = columns.to(at::kDouble) - columns.to(at::kDouble).mean(0, true);
  const Tensor norm = centred.norm(2, 0, true);
  const Tensor constant = norm.le(kConstant * std::sqrt(static_cast<double>(columns.size(0))));
  return at::where(constant, 0.0, centred / norm.clamp_min(1e-300));
}

std::vector<FactorMatch> matches_of(const Tensor& a, const Tensor& b) {
  const Tensor correlation = a.t().matmul(b).abs();
  const std::vector<std::int64_t> columns = best_assignment(correlation);
  std::vector<FactorMatch> matches;
  for (std::size_t row = 0; row < columns.size(); ++row) {
    if (columns[row] < 0) continue;
    const auto factor = static_cast<std::int64_t>(row);
    matches.push_back({factor, columns[row], correlation[factor][columns[row]].item<double>()});
  }
  return matches;
}

double mean_of(const std::vector<FactorMatch>& matches) {
  double sum = 0;
  for (const FactorMatch& match : matches) sum += match.correlation;
  return matches.empty() ? kNone : sum / static_cast<double>(matches.size());
}

/// An orthonormal basis of the columns that are not constant.
Tensor basis_of(const Tensor& columns) {
  const Tensor alive = columns.square().sum(0).gt(0.5).nonzero().squeeze(1);
  return std::get<0>(at::linalg_qr(columns.index_select(1, alive)));
}

/// Over as many directions as the smaller of the two has.
double canonical_correlation(const Tensor& a, const Tensor& b) {
  const Tensor first = basis_of(a), second = basis_of(b);
  if (first.size(1) == 0 || second.size(1) == 0) return 0;
  return at::linalg_svdvals(first.t().matmul(second)).clamp_max(1).mean().item<double>();
}

nlohmann::json matches_json(const std::vector<FactorMatch>& matches, const char* name) {
  nlohmann::json json = nlohmann::json::array();
  for (const FactorMatch& match : matches)
    json.push_back({{"factor", fmt::format("{}_{}", name, match.factor + 1)},
                    {"other", fmt::format("{}_{}", name, match.other + 1)},
                    {"correlation", match.correlation}});
  return json;
}

}  // namespace

Share leaked_share(const FlowValue& alpha, const FlowValue& beta) {
  const double a = std::max(alpha.nats, 0.0), b = std::max(beta.nats, 0.0), total = a + b;
  if (total <= 0) return {kNone, kNone};
  return {b / total, std::hypot(a * beta.se, b * alpha.se) / (total * total)};
}

Share reencoding_agreement(const models::Encoder& encoder, const models::Decoder& decoder,
                           const models::Classifier& classifier, const data::Dataset& dataset) {
  if (dataset.size() == 0) fail("there are no images to measure on");
  if (encoder.latents() != decoder.latents())
    fail("the encoder has {} latents and the decoder {}; they must belong to one model", encoder.latents(),
         decoder.latents());
  const at::NoGradGuard no_grad;
  std::int64_t same = 0;
  for_batches(dataset.size(), kBatch, [&](std::int64_t first, std::int64_t count) {
    const Tensor images = data::to_float(dataset, first, count, encoder.device());
    const Tensor decoded = decoder.decode(encoder.encode(images).mean);
    same += probabilities_of(classifier, images)
                .argmax(1)
                .eq(probabilities_of(classifier, decoded).argmax(1))
                .sum()
                .item<std::int64_t>();
  });
  const auto images = static_cast<double>(dataset.size());
  const double share = static_cast<double>(same) / images;
  return {share, std::sqrt(share * (1 - share) / images)};
}

SeedAgreement seed_agreement(const at::Tensor& means, std::int64_t causal, const at::Tensor& other_means,
                             std::int64_t other_causal) {
  TORCH_CHECK(means.dim() == 2 && other_means.dim() == 2 && means.size(0) == other_means.size(0),
              "means must be (n, D) of the same n images, got ", means.sizes(), " and ", other_means.sizes());
  if (means.size(0) < 3)
    fail_usage("{} images are too few to correlate factors over; give 3 or more", means.size(0));
  for (const auto& [k, d] : {std::pair{causal, means.size(1)}, {other_causal, other_means.size(1)}})
    if (k < 1 || k > d) fail_usage("{} causal factors do not fit {} latents; give 1 to {}", k, d, d);

  const Tensor a = standardised(means), b = standardised(other_means);
  const Tensor alpha = a.narrow(1, 0, causal), other_alpha = b.narrow(1, 0, other_causal);
  SeedAgreement agreement;
  agreement.alpha = matches_of(alpha, other_alpha);
  agreement.beta = matches_of(a.narrow(1, causal, a.size(1) - causal),
                              b.narrow(1, other_causal, b.size(1) - other_causal));
  agreement.alpha_mean = mean_of(agreement.alpha);
  agreement.beta_mean = mean_of(agreement.beta);
  agreement.alpha_subspace = canonical_correlation(alpha, other_alpha);
  return agreement;
}

nlohmann::json to_json(const Share& share) { return {{"value", share.value}, {"se", share.se}}; }

nlohmann::json to_json(const SeedAgreement& agreement) {
  nlohmann::json json = {{"alpha", matches_json(agreement.alpha, "alpha")},
                         {"beta", matches_json(agreement.beta, "beta")},
                         {"alpha_subspace", agreement.alpha_subspace}};
  if (!agreement.alpha.empty()) json["alpha_mean"] = agreement.alpha_mean;
  if (!agreement.beta.empty()) json["beta_mean"] = agreement.beta_mean;
  return json;
}

}  // namespace whence::flow
