#include "experiment/trust.h"

#include "experiment/session.h"
#include "whence/core/error.h"

namespace whence::experiment {
namespace {

constexpr std::int64_t kAtOnce = 500;

at::Tensor means_of(const models::Encoder& encoder, const data::Dataset& dataset) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < dataset.size(); first += kAtOnce) {
    const std::int64_t end = std::min(first + kAtOnce, dataset.size());
    parts.push_back(encoder.encode(data::to_float(dataset, at::arange(first, end, at::kLong))).mean);
  }
  return at::cat(parts);
}

nlohmann::json compare_seeds(const TrustSubject& subject, const std::filesystem::path& folder) {
  Session other = open_other_run(folder, subject.test.images.sizes().slice(1));
  const auto encoder = other.encoder(other.judging_precision());
  return flow::to_json(flow::seed_agreement(means_of(subject.encoder, subject.test), subject.causal,
                                            means_of(*encoder, subject.test), other.causal()));
}

nlohmann::json randomize(const TrustSubject& subject, std::int64_t classifiers,
                         const ProgressCallback& progress) {
  if (classifiers == 0) return {{"left_out", "it was not asked for"}};
  if (!subject.classifier.network()) return {{"left_out", "the layers of the classifier are unknown"}};
  if (subject.causal == subject.decoder.latents()) return {{"left_out", "there are no other factors"}};
  flow::RandomizationOptions options;
  options.classifiers = classifiers;
  return flow::to_json(flow::randomization_check(subject.decoder, subject.classifier, subject.causal, options,
                                                 subject.seed, progress));
}

}  // namespace

Session open_other_run(const std::filesystem::path& folder, at::IntArrayRef image) {
  Session other = open_session(folder);
  if (!other.explains())
    fail(
        "{} is the run of an autoencoder, which has no causal factors to compare; give one of an explanation",
        folder.string());
  const nn::Shape& there = other.task().image;
  if (there != image) {
    fail("{} explains images of {} x {} x {}, not of {} x {} x {}; give a run of the same data",
         folder.string(), there[0], there[1], there[2], image[0], image[1], image[2]);
  }
  return other;
}

nlohmann::json check_trust(const TrustSubject& subject, const TrustOptions& options,
                           const ProgressCallback& progress) {
  nlohmann::json result;
  result["leak"] = flow::to_json(flow::leaked_share(subject.alpha, subject.beta));
  result["reencoding"] = flow::to_json(
      flow::reencoding_agreement(subject.encoder, subject.decoder, subject.classifier, subject.test));
  result["reencoding"]["images"] = subject.test.size();
  result["randomization"] = randomize(subject, options.randomized, progress);
  if (!options.other_run.empty()) result["seeds"] = compare_seeds(subject, options.other_run);
  return result;
}

}  // namespace whence::experiment
