#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/flow/trust.h"
#include "whence/nn/graph/network.h"

namespace whence::flow {
namespace {

using at::Tensor;

/// Logits without what softmax does not see, (n, M), in float64: each row sums to 0.
Tensor contrasts(const Tensor& logits) {
  const Tensor wide = logits.to(at::kDouble);
  return wide - wide.mean(1, true);
}

Tensor centred_over_draws(const Tensor& values) { return values - values.mean(0, true); }

/// The RV coefficient of centred values (n, M).
double rv_coefficient(const Tensor& a, const Tensor& b) {
  const auto overlap = [](const Tensor& x, const Tensor& y) {
    return x.t().matmul(y).square().sum().item<double>();
  };
  const double norm = std::sqrt(overlap(a, a) * overlap(b, b));
  return norm > 0 ? overlap(a, b) / norm : 0;
}

/// Crossed draws tell the flow of both sides.
constexpr Estimator kEstimator = {Sampling::crossed, Placement::independent, Correction::delta};

/// The decoded draws, and the answers of classifiers to them.
class Responses {
 public:
  Responses(const models::Decoder& decoder, const models::Classifier& classifier, std::int64_t causal,
            const RandomizationOptions& options, std::uint64_t seed)
      : options_(options), batch_(samples_within(decoder, classifier, options.memory_bytes)) {
    Factors alpha;
    for (std::int64_t i = 0; i < causal; ++i) alpha.push_back(i);
    Generator generator = make_generator(seed, "trust/randomization");
    const Tensor z = draw_latents(decoder.latents(), alpha, options.alpha, options.beta, kEstimator.sampling,
                                  kEstimator.outer_draws, generator)
                         .to(decoder.device());
    for_batches(z.size(0), batch_, [&](std::int64_t first, std::int64_t count) {
      images_.push_back(decoder.decode(z.narrow(0, first, count)));
    });
    const Tensor logits = logits_of(classifier);
    spread_ = spread(logits);
    explained_ = logits.softmax(1);
  }

  Response explained() const { return response(explained_); }

  Response randomized(const models::Classifier& classifier) const {
    const Tensor centred = centred_over_draws(contrasts(logits_of(classifier)));
    const double own = spread(centred);
    return response((own > 0 ? centred * (spread_ / own) : centred).softmax(1));
  }

 private:
  Tensor logits_of(const models::Classifier& classifier) const {
    std::vector<Tensor> parts;
    for_batches(static_cast<std::int64_t>(images_.size()), 1, [&](std::int64_t i, std::int64_t) {
      parts.push_back(classifier.logits(images_[static_cast<std::size_t>(i)]));
    });
    const Tensor logits = at::cat(parts).to(at::kDouble);
    if (!logits.isfinite().all().item<bool>())
      fail("the classifier returned NaN or infinite outputs for decoded images; check its weights");
    return logits;
  }

  /// Standard deviation of the contrasts over draws.
  static double spread(const Tensor& logits) {
    return centred_over_draws(contrasts(logits)).square().mean().sqrt().item<double>();
  }

  Response response(const Tensor& probabilities) const {
    const Tensor p = probabilities.view({options_.alpha, options_.beta, -1});
    Response result;
    result.alpha = estimate_flow(p, kEstimator);
    result.beta = estimate_flow(p.transpose(0, 1).contiguous(), kEstimator);
    result.correlation = rv_coefficient(centred_over_draws(explained_), centred_over_draws(probabilities));
    return result;
  }

  const RandomizationOptions& options_;
  std::int64_t batch_;
  std::vector<Tensor> images_;
  double spread_ = 0;
  Tensor explained_;  // class probabilities, (draws, M)
};

/// The share of alpha in the total flow.
Share alpha_share_of(const Response& response) {
  Share share = leaked_share(response.alpha, response.beta);
  share.value = 1 - share.value;
  return share;
}

void judge(RandomizationCheck& check) {
  check.alpha_share = alpha_share_of(check.explained);
  std::vector<double> shares;
  for (const Response& response : check.randomized) {
    const double share = alpha_share_of(response).value;
    shares.push_back(std::isnan(share) ? 0 : share);
    check.correlation += response.correlation / static_cast<double>(check.randomized.size());
  }
  const Tensor all = at::tensor(shares, at::TensorOptions(at::kCPU).dtype(at::kDouble));
  const auto count = static_cast<double>(shares.size());
  check.randomized_share.value = all.mean().item<double>();
  if (shares.size() > 1) check.randomized_share.se = all.std(0, true).item<double>() / std::sqrt(count);
  const double lead = check.alpha_share.value - check.randomized_share.value;
  check.passed = check.alpha_share.value > all.max().item<double>() &&
                 lead > 1.96 * std::hypot(check.alpha_share.se, check.randomized_share.se);
}

}  // namespace

RandomizationCheck randomization_check(const models::Decoder& decoder, const models::Classifier& classifier,
                                       std::int64_t causal, const RandomizationOptions& options,
                                       std::uint64_t seed, const ProgressCallback& progress) {
  if (!classifier.network())
    fail(
        "the layers of the classifier are unknown, so its weights cannot be randomized; leave out this "
        "check");
  const auto randomized = [&](std::int64_t i) {
    nn::Network network = classifier.network()->clone();
    Generator generator = make_generator(seed, fmt::format("trust/classifier/{}", i));
    nn::initialise(network, {}, generator);
    return models::as_classifier(network, classifier.precision());
  };
  return randomization_check(decoder, classifier, randomized, causal, options, seed, progress);
}

RandomizationCheck randomization_check(
    const models::Decoder& decoder, const models::Classifier& classifier,
    const std::function<std::unique_ptr<models::Classifier>(std::int64_t i)>& randomized, std::int64_t causal,
    const RandomizationOptions& options, std::uint64_t seed, const ProgressCallback& progress) {
  if (causal < 1 || causal >= decoder.latents())
    fail_usage(
        "{} causal of {} factors leave no share to compare; the randomization check needs at least one "
        "causal "
        "and one other factor",
        causal, decoder.latents());
  if (options.alpha < 2 || options.beta < 2 || options.classifiers < 1)
    fail_usage("{}x{} draws and {} classifiers are too few for the randomization check; it needs 2x2 and 1",
               options.alpha, options.beta, options.classifiers);

  const at::NoGradGuard no_grad;
  const Responses responses(decoder, classifier, causal, options, seed);
  RandomizationCheck check;
  check.explained = responses.explained();
  for (std::int64_t i = 0; i < options.classifiers; ++i) {
    check.randomized.push_back(responses.randomized(*randomized(i)));
    if (progress) progress({"randomization", i + 1, options.classifiers, {}});
  }
  judge(check);
  return check;
}

nlohmann::json to_json(const RandomizationCheck& check) {
  nlohmann::json randomized = nlohmann::json::array();
  for (const Response& response : check.randomized)
    randomized.push_back({{"alpha", to_json(response.alpha)},
                          {"beta", to_json(response.beta)},
                          {"correlation", response.correlation}});
  return {{"passed", check.passed},
          {"alpha_share", to_json(check.alpha_share)},
          {"randomized_share", to_json(check.randomized_share)},
          {"correlation", check.correlation},
          {"explained", {{"alpha", to_json(check.explained.alpha)}, {"beta", to_json(check.explained.beta)}}},
          {"randomized", std::move(randomized)}};
}

}  // namespace whence::flow
