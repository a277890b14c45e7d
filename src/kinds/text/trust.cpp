// Whether an explanation of texts can be trusted.
#include "kinds/text/ask.h"
#include "whence/core/random.h"

namespace whence::kinds {
namespace {

/// A few draws: the check compares classifiers.
flow::FlowReport flows_of(const TextModels& models, const models::TextClassifier& classifier,
                          std::uint64_t seed, const ProgressCallback& progress) {
  constexpr std::int64_t outer = 60, inner = 30;
  return text_flow(models, classifier, outer, inner, seed, progress);
}

/// Of alpha.
double share_of(const flow::FlowReport& flows) {
  constexpr double least = 1e-9;
  return flows.alpha.nats / std::max(flows.alpha.nats + flows.beta.nats, least);
}

}  // namespace

nlohmann::json check_text_trust(Session& session, const TextModels& models, std::int64_t classifiers,
                                const ProgressCallback& progress) {
  const flow::FlowReport own = flows_of(models, *models.classifier, session.seed(), progress);
  Generator draws = make_generator(session.seed(), "text/trust");
  const at::Tensor texts =
      models.corpus.test.index_select(0, test_rows(models, session.get<TextMeasureOptions>().texts, draws));
  const at::Tensor again = text::decode_greedily(models.vae, text_codes(models, texts), models.longest);
  const at::Tensor kept = models.answers(again).argmax(1).eq(models.answers(texts).argmax(1));
  const double share = kept.to(at::kDouble).mean().item<double>();
  const auto count = static_cast<double>(texts.size(0));
  nlohmann::json trust = {
      {"leak", {{"value", 1 - share_of(own)}, {"se", own.beta.se / (own.alpha.nats + own.beta.nats)}}},
      {"reencoding", {{"value", share}, {"se", std::sqrt(share * (1 - share) / count)}}}};
  nlohmann::json random = {{"alpha", own.alpha.nats}, {"randomized", nlohmann::json::array()}};
  if (session.get<TextClassifierOptions>().is_given()) classifiers = 0;  // its layers are not known
  models::TextClassifierShape shape = session.get<TextClassifierOptions>().shape;
  shape.words = models.words.size();
  shape.classes = models.classifier->classes();
  for (std::int64_t i = 0; i < classifiers; ++i) {
    Generator generator = make_generator(session.seed(), fmt::format("text/randomized/{}", i));
    constexpr double deviation = 0.3;
    models::TextClassifierNetwork network(
        shape, at::normal(0.0, deviation, {shape.words, shape.embedding}, generator), generator);
    const auto classifier = models::as_text_classifier(std::move(network));
    random["randomized"].push_back(flows_of(models, *classifier, session.seed(), progress).alpha.nats);
  }
  trust["randomization"] = random;
  return trust;
}

}  // namespace whence::kinds
