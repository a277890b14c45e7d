#include "kinds/gce/trust.h"

#include "experiment/pipeline.h"
#include "kinds/gce/gce.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::kinds {
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

/// The run whose factors are to be compared, on images of shape `image` (C, H, W).
Session open_other_run(const experiment::Kinds& kinds, const std::filesystem::path& folder,
                       at::IntArrayRef image) {
  Session other = experiment::open_session(kinds, folder);
  if (causal(other) == 0)
    fail(
        "{} is the run of a generator alone, which has no causal factors to compare; give a run with an "
        "explanation",
        folder.string());
  const nn::Shape& there = other.task().image;
  if (there != image) {
    fail("{} explains images of {} x {} x {}, not of {} x {} x {}; give a run of the same data",
         folder.string(), there[0], there[1], there[2], image[0], image[1], image[2]);
  }
  return other;
}

nlohmann::json compare_seeds(const experiment::Kinds& kinds, const TrustSubject& subject,
                             const std::filesystem::path& folder) {
  Session other = open_other_run(kinds, folder, subject.test.images.sizes().slice(1));
  const auto encoder = other.encoder(other.judging_precision());
  return flow::to_json(flow::seed_agreement(means_of(subject.encoder, subject.test), subject.causal,
                                            means_of(*encoder, subject.test), causal(other)));
}

nlohmann::json randomize(const TrustSubject& subject, std::int64_t classifiers,
                         const ProgressCallback& progress) {
  if (classifiers == 0) return {{"left_out", "it was not requested"}};
  if (!subject.classifier.network()) return {{"left_out", "the layers of the classifier are unknown"}};
  if (subject.causal == subject.decoder.latents()) return {{"left_out", "there are no other factors"}};
  flow::RandomizationOptions options;
  options.classifiers = classifiers;
  return flow::to_json(flow::randomization_check(subject.decoder, subject.classifier, subject.causal, options,
                                                 subject.seed, progress));
}

/// The other run's weights, if there is one.
nlohmann::json trust_content(Session& session) {
  const std::filesystem::path other = session.get<TrustOptions>().other_run;
  if (other.empty()) return nlohmann::json::object();
  const std::filesystem::path weights = other / "encoder.safetensors";
  if (!std::filesystem::exists(weights))
    fail("trust.other_run is {}, which has no encoder.safetensors; give the folder of a finished run",
         other.string());
  return {{"other_run", experiment::fingerprint_of(read_file(weights))}};
}

void check_other_run(Session& session) {
  trust_content(session);
  if (const std::filesystem::path other = session.get<TrustOptions>().other_run; !other.empty())
    open_other_run(*session.recipe().kinds, other, session.task().image);
}

experiment::StageResult check_explanation(Session& session) {
  const auto [classifier, encoder, decoder] = session.judged();
  const experiment::Kinds& kinds = *session.recipe().kinds;
  const nlohmann::json flow =
      experiment::collect_metrics(kinds, session.folder()).at("gce").at("information_flow");
  const nlohmann::json trust = check_trust(kinds,
                                           {.encoder = *encoder,
                                            .decoder = *decoder,
                                            .classifier = *classifier,
                                            .test = session.data().test,
                                            .causal = causal(session),
                                            .alpha = flow.at("alpha").get<flow::FlowValue>(),
                                            .beta = flow.at("beta").get<flow::FlowValue>(),
                                            .seed = session.seed()},
                                           session.get<TrustOptions>(), session.progress);
  return {{{"trust", trust}},
          {},
          fmt::format("{:.1f} % of re-encoded images keep their class",
                      100 * trust.at("reencoding").at("value").get<double>())};
}

}  // namespace

nlohmann::json check_trust(const experiment::Kinds& kinds, const TrustSubject& subject,
                           const TrustOptions& options, const ProgressCallback& progress) {
  nlohmann::json result;
  result["leak"] = flow::to_json(flow::leaked_share(subject.alpha, subject.beta));
  result["reencoding"] = flow::to_json(
      flow::reencoding_agreement(subject.encoder, subject.decoder, subject.classifier, subject.test));
  result["reencoding"]["images"] = subject.test.size();
  result["randomization"] = randomize(subject, options.randomized, progress);
  if (!options.other_run.empty()) result["seeds"] = compare_seeds(kinds, subject, options.other_run);
  return result;
}

experiment::Stage trust_stage() {
  experiment::Stage stage{"trust",
                          {"trust", "run.seed"},
                          {"data", "classifier", "explanation", "evaluation"},
                          check_explanation,
                          trust_content};
  stage.ready = check_other_run;
  return stage;
}

}  // namespace whence::kinds
