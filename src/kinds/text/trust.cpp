// Whether an explanation of texts can be trusted: the checks of images, on texts.
#include "experiment/metrics.h"
#include "experiment/pipeline.h"
#include "kinds/text/ask.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/random.h"
#include "whence/explain/text/measures.h"

namespace whence::kinds {
namespace {

constexpr const char* kWeights = "text-explanation.safetensors";

/// Of a run's classifier, with newly drawn word vectors and weights.
std::unique_ptr<models::Classifier> random_text_classifier(const Session& session, const TextModels& models,
                                                           std::int64_t number) {
  constexpr double deviation = 0.3;
  models::TextClassifierShape shape = session.get<TextClassifierOptions>().shape;
  shape.words = models.words.size();
  shape.classes = models.classifier->classes();
  Generator generator = make_generator(session.seed(), fmt::format("text/randomized/{}", number));
  models::TextClassifierNetwork network(
      shape, at::normal(0.0, deviation, {shape.words, shape.embedding}, generator), generator);
  return models::as_text_classifier(std::move(network));
}

nlohmann::json randomize_texts(const Session& session, const TextModels& models, std::int64_t classifiers,
                               const ProgressCallback& progress) {
  if (classifiers == 0) return {{"left_out", "it was not requested"}};
  if (session.get<TextClassifierOptions>().is_given())
    return {{"left_out", "the layers of the classifier are unknown"}};
  flow::RandomizationOptions options;
  options.classifiers = classifiers;
  const auto decoder = text::as_decoder(models.vae, models.translation, models.longest);
  return flow::to_json(flow::randomization_check(
      *decoder, *models.classifier,
      [&](std::int64_t i) { return random_text_classifier(session, models, i); }, models.vae.shape().causal,
      options, session.seed(), progress));
}

Session open_other_texts(const experiment::Kinds& kinds, const std::filesystem::path& folder) {
  Session other = experiment::open_session(kinds, folder);
  if (!experiment::is_text(other.get<experiment::DataOptions>()))
    fail("{} is not about texts; give a run of the same texts", folder.string());
  return other;
}

/// Codes of the same texts under two runs' encoders.
nlohmann::json compare_text_seeds(const experiment::Kinds& kinds, const TextModels& models,
                                  const at::Tensor& texts, const std::filesystem::path& folder) {
  Session other = open_other_texts(kinds, folder);
  const TextModels theirs = text_models(other);
  std::vector<data::Words> words;
  for (const text::Numbers& row : text::rows_of(texts)) {
    words.push_back(models.corpus.vocabulary.words_of(row));
    if (!theirs.corpus.vocabulary.knows_all(words.back()))
      fail("the generator of {} does not know the words of these test texts; give a run of the same texts",
           folder.string());
  }
  return flow::to_json(flow::seed_agreement(text_codes(models, texts), models.vae.shape().causal,
                                            text_codes(theirs, to_numbers(theirs.corpus.vocabulary, words)),
                                            theirs.vae.shape().causal));
}

/// The other run's weights, if there is one.
nlohmann::json text_trust_content(Session& session) {
  const std::filesystem::path other = session.get<TrustOptions>().other_run;
  if (other.empty()) return nlohmann::json::object();
  if (!std::filesystem::exists(other / kWeights))
    fail("trust.other_run is {}, which has no {}; give the folder of a finished run about texts",
         other.string(), kWeights);
  return {{"other_run", experiment::fingerprint_of(read_file(other / kWeights))}};
}

experiment::StageResult check_texts(Session& session) {
  const nlohmann::json flow =
      experiment::collect_metrics(*session.recipe().kinds, session.folder()).at("text").at("flow");
  const nlohmann::json trust =
      check_text_trust(session, text_models(session),
                       {flow.at("alpha").get<flow::FlowValue>(), flow.at("beta").get<flow::FlowValue>()},
                       session.get<TrustOptions>(), session.progress);
  return {{{"trust", trust}},
          {},
          fmt::format("{:.1f} % of re-encoded texts keep their answer",
                      100 * trust.at("reencoding").at("value").get<double>())};
}

}  // namespace

nlohmann::json check_text_trust(Session& session, const TextModels& models, const TextFlows& flows,
                                const TrustOptions& options, const ProgressCallback& progress) {
  Generator draws = make_generator(session.seed(), "text/trust");
  const at::Tensor texts =
      models.corpus.test.index_select(0, test_rows(models, session.get<TextMeasureOptions>().texts, draws));
  const at::Tensor again = text::decode_greedily(models.vae, text_codes(models, texts), models.longest);
  const at::Tensor kept = models.answers(again).argmax(1).eq(models.answers(texts).argmax(1));
  const double share = kept.to(at::kDouble).mean().item<double>();
  const auto count = static_cast<double>(texts.size(0));
  nlohmann::json trust = {
      {"leak", flow::to_json(flow::leaked_share(flows.alpha, flows.beta))},
      {"reencoding", flow::to_json(flow::Share{share, std::sqrt(share * (1 - share) / count)})},
      {"randomization", randomize_texts(session, models, options.randomized, progress)}};
  trust["reencoding"]["texts"] = texts.size(0);
  if (!options.other_run.empty())
    trust["seeds"] = compare_text_seeds(*session.recipe().kinds, models, texts, options.other_run);
  return trust;
}

experiment::Stage text_trust_stage() {
  experiment::Stage stage{"text-trust",
                          {"trust", "text.test_texts", "run.seed"},
                          {"text-measures"},
                          check_texts,
                          text_trust_content};
  stage.ready = [](Session& session) {
    text_trust_content(session);
    if (const std::filesystem::path other = session.get<TrustOptions>().other_run; !other.empty())
      open_other_texts(*session.recipe().kinds, other);
  };
  return stage;
}

}  // namespace whence::kinds
