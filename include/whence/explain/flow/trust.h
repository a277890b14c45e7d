// Reasons to trust an explanation, or not: four checks that need no further training.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/models/roles.h"

namespace whence::flow {

/// A share with its standard error.
struct Share {
  double value = 0, se = 0;
};

/// Disentanglement: the share of the total share of the flow in the betas,
///   I(beta; Y) / (I(alpha; Y) + I(beta; Y)),
/// 0 when alpha is all that moves the classifier. Flows below 0 (a bias correction may give them) count as 0. The
/// standard error is that of a ratio of independent estimates (delta method). NaN where nothing flows at all.
Share leaked_share(const FlowValue& alpha, const FlowValue& beta);

/// Re-encoding agreement: the share of images to whose reconstruction (of the posterior mean) the classifier gives the
/// same class as to the image. What an explanation says about other images it says about something else. Errors: no
/// images; encoder and decoder of different models.
Share reencoding_agreement(const models::Encoder& encoder, const models::Decoder& decoder,
                           const models::Classifier& classifier, const data::Dataset& dataset);

struct RandomizationOptions {
  std::int64_t classifiers = 5;           ///< with newly drawn weights
  std::int64_t alpha = 64, beta = 64;     ///< draws, crossed
  std::int64_t memory_bytes = 256 << 20;  ///< budget of a batch of activations
};
/// How one classifier answers to the generator's images.
struct Response {
  FlowValue alpha, beta;   ///< I(alpha; Y), I(beta; Y)
  double correlation = 1;  ///< of its class probabilities with the explained classifier's; 1 for that one
};
struct RandomizationCheck {
  Response explained;
  std::vector<Response> randomized;
  Share alpha_share;       ///< of alpha in the explained classifier's total flow
  Share randomized_share;  ///< the same for the randomized classifiers: mean, and standard error of the mean
  double correlation = 0;  ///< mean over the randomized classifiers
  /// The explained classifier's share is larger than each randomized one's, and than their mean by more than 1.96
  /// standard errors of the difference: the explanation depends on what this classifier has learned.
  bool passed = false;
};
/// Model randomization (Adebayo et al. 2018, section 3, for saliency maps): an explanation of a trained classifier must
/// not be one of the same architecture with random weights. The given generator's images are shown to both; alpha was
/// learned to move the trained one, and should have no such hold on a random one.
/// An untrained network answers nearly the same for every image, and would pass for a trivial reason; its logits are
/// therefore centred and scaled to the spread that the explained classifier's have over the same images. The
/// correlation is the RV coefficient (Robert & Escoufier 1976) of the probabilities, centred over draws: the squared
/// correlation for two classes, blind to which class is called what for more.
/// `classifier.network()` must be known. Errors (usage): causal outside 1 .. latents - 1 (without other factors there is
/// no share), fewer than 2 draws of either, no classifier; a classifier whose layers are unknown.
/// Progress: stage "randomization", one step a classifier.
RandomizationCheck randomization_check(const models::Decoder& decoder, const models::Classifier& classifier,
                                       std::int64_t causal, const RandomizationOptions& options,
                                       std::uint64_t seed, const ProgressCallback& progress = {});

/// The same with classifiers of the caller's making, `randomized(i)` for i = 0 .. options.classifiers - 1, whatever the explained one's layers are: also of
/// texts, which a decoder returns as numbers of words.
RandomizationCheck randomization_check(
    const models::Decoder& decoder, const models::Classifier& classifier,
    const std::function<std::unique_ptr<models::Classifier>(std::int64_t i)>& randomized, std::int64_t causal,
    const RandomizationOptions& options, std::uint64_t seed, const ProgressCallback& progress = {});

struct FactorMatch {
  std::int64_t factor = 0, other = 0;  ///< numbered from 0 among the alphas, or among the betas
  double correlation = 0;              ///< absolute: a factor may come back mirrored
};
struct SeedAgreement {
  std::vector<FactorMatch> alpha, beta;  ///< by `factor`; each factor at most once
  double alpha_mean = 0, beta_mean = 0;  ///< mean correlation of the matches; NaN when there is none
  double alpha_subspace = 0;             ///< mean canonical correlation (Hotelling 1936) of all alphas
};
/// Do the same causes come back? Posterior means (n, D) and (n, D') that two generators give to the same n images are
/// correlated, and factors matched one to one so that the absolute correlations are largest in sum (alphas with alphas,
/// betas with betas). The joint objective determines alpha only up to a rotation; the canonical correlation does not
/// mind one. A factor that is constant correlates with nothing (0). Errors (usage): fewer than 3 images, K outside
/// 1 .. D.
SeedAgreement seed_agreement(const at::Tensor& means, std::int64_t causal, const at::Tensor& other_means,
                             std::int64_t other_causal);

/// {"value", "se"}
nlohmann::json to_json(const Share& share);
/// {"passed", "alpha_share": {...}, "randomized_share": {...}, "correlation", "explained": {"alpha", "beta"},
/// "randomized": [{"alpha", "beta", "correlation"}]}
nlohmann::json to_json(const RandomizationCheck& check);
/// {"alpha": [{"factor", "other", "correlation"}], "beta": [...], "alpha_mean", "beta_mean", "alpha_subspace"}; factors
/// by name; means that do not exist are left out.
nlohmann::json to_json(const SeedAgreement& agreement);

}  // namespace whence::flow
