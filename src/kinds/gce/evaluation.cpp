#include "experiment/figures.h"
#include "experiment/stages.h"
#include "whence/core/random.h"
#include "whence/explain/flow/ablation.h"
#include "whence/explain/flow/brightness.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/interchange/safetensors.h"

namespace whence::experiment {
namespace {

/// The classifier behind the autoencoder: what it says about an image that was encoded and decoded.
class ReencodingClassifier final : public models::Classifier {
 public:
  ReencodingClassifier(const models::Classifier& classifier, const models::Encoder& encoder,
                       const models::Decoder& decoder)
      : classifier_(classifier), encoder_(encoder), decoder_(decoder) {}
  at::Tensor logits(const at::Tensor& x) const override {
    return classifier_.logits(decoder_.decode(encoder_.encode(x).mean));
  }
  std::int64_t classes() const override { return classifier_.classes(); }

 private:
  const models::Classifier& classifier_;
  const models::Encoder& encoder_;
  const models::Decoder& decoder_;
};

/// Images that are generated to see how bright they are; decoding them takes a moment.
constexpr std::int64_t kBrightnessDraws = 2000;

nlohmann::json brightness_json(Session& session, const models::Encoder& encoder,
                               const models::Decoder& decoder) {
  Generator draws = make_generator(session.seed(), "evaluation/brightness");
  return flow::to_json(
      flow::factor_brightness(encoder, decoder, session.data().test, kBrightnessDraws, draws),
      session.factor_names(), kBrightnessDraws);
}

/// Without causal factors there is no flow to measure and nothing to replace.
StageResult without_explanation(const flow::Fidelity& fidelity, const flow::Ablation& whole) {
  return {{{"gce", {{"test", to_json(fidelity)}, {"ablation", to_json(whole, {})}}}},
          {kTestBounds},
          fmt::format("SSE + KL {:.2f}, accuracy {:.2f} %, re-encoded {:.2f} %", fidelity.bound(),
                      100 * whole.original, 100 * whole.reencoded)};
}

}  // namespace

void save_bounds(const Session& session, const std::string& file, const flow::Fidelity& fidelity) {
  nn::save_safetensors(session.folder() / file, {{"bound", fidelity.of_images}}, {});
}

nlohmann::json to_json(const flow::Fidelity& fidelity) {
  return {{"sse", fidelity.sse}, {"kl", fidelity.kl}, {"se", fidelity.se}};
}

nlohmann::json to_json(const flow::Ablation& ablation, const std::vector<std::string>& factors) {
  nlohmann::json replaced = nlohmann::json::object();
  for (std::size_t i = 0; i < factors.size(); ++i) replaced[factors[i]] = ablation.replaced[i];
  return {{"original", ablation.original},
          {"reencoded", ablation.reencoded},
          {"replaced", replaced},
          {"samples", ablation.samples}};
}

nlohmann::json evaluation_content(Session& session) {
  return {{"precision", name_of(session.judging_precision())}};
}

StageResult evaluation_stage(Session& session) {
  const Precision precision = session.judging_precision();
  const auto classifier = session.classifier(precision);
  const auto encoder = session.encoder(precision);
  const auto decoder = session.decoder(precision);
  const data::Dataset& test = session.data().test;

  Generator codes = make_generator(session.seed(), "evaluation/fidelity");
  const flow::Fidelity fidelity = flow::fidelity(*encoder, *decoder, test, codes);
  save_bounds(session, kTestBounds, fidelity);
  if (!session.explains()) {
    const ReencodingClassifier reencoding(*classifier, *encoder, *decoder);
    return without_explanation(fidelity, {.original = flow::accuracy(*classifier, test),
                                          .reencoded = flow::accuracy(reencoding, test),
                                          .replaced = {},
                                          .samples = test.size()});
  }
  Generator fresh = make_generator(session.seed(), "evaluation/ablation");
  const at::Tensor rows = data::sample_rows(test, session.recipe().evaluation.ablation_images, fresh);
  const flow::Ablation ablation =
      flow::ablate(*encoder, *decoder, *classifier, data::pick(test, rows), fresh, session.progress);
  const flow::FlowReport flow =
      flow::measure_flow(*decoder, *classifier, session.recipe().explanation.causal,
                         session.recipe().evaluation.flow, session.seed(), session.progress);

  nlohmann::json flow_json = flow::to_json(flow);
  flow_json["most_possible"] = std::log(static_cast<double>(classifier->classes()));
  return {{{"gce",
            {{"test", to_json(fidelity)},
             {"information_flow", flow_json},
             {"ablation", to_json(ablation, session.factor_names())},
             {"brightness", brightness_json(session, *encoder, *decoder)}}}},
          {kTestBounds},
          fmt::format("I(alpha; Y) {:.3f} nats, I(beta; Y) {:.3f} nats, SSE + KL {:.2f}", flow.alpha.nats,
                      flow.beta.nats, fidelity.bound())};
}

}  // namespace whence::experiment
