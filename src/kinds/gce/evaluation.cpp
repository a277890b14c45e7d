// Stages that measure what was trained: "validation", by which settings are compared, "evaluation" and "reference".
#include <numeric>

#include "experiment/stages.h"
#include "kinds/gce/figures.h"
#include "kinds/gce/gce.h"
#include "whence/core/random.h"
#include "whence/explain/flow/brightness.h"
#include "whence/explain/flow/linear_reference.h"
#include "whence/interchange/safetensors.h"

namespace whence::kinds {
namespace {

using experiment::Models, experiment::StageResult;

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

nlohmann::json brightness_json(Session& session, const Models& models) {
  Generator draws = make_generator(session.seed(), "evaluation/brightness");
  return flow::to_json(
      flow::factor_brightness(*models.encoder, *models.decoder, session.data().test, kBrightnessDraws, draws),
      factor_names(session), kBrightnessDraws);
}

/// So that runs can be compared image by image.
void save_bounds(const Session& session, const char* file, const flow::Fidelity& fidelity) {
  nn::save_safetensors(session.folder() / file, {{"bound", fidelity.of_images}}, {});
}

nlohmann::json fidelity_json(const flow::Fidelity& fidelity) {
  return {{"sse", fidelity.sse}, {"kl", fidelity.kl}, {"se", fidelity.se}};
}

/// Without causal factors there is no flow to measure and nothing to replace.
StageResult evaluate_autoencoder(const Models& models, const data::Dataset& test,
                                 const flow::Fidelity& fidelity) {
  const ReencodingClassifier reencoding(*models.classifier, *models.encoder, *models.decoder);
  const flow::Ablation whole{
      models::accuracy(*models.classifier, test), models::accuracy(reencoding, test), {}, test.size()};
  return {{{"test", fidelity_json(fidelity)}, {"ablation", to_json(whole, {})}},
          {kTestBounds},
          fmt::format("SSE + KL {:.2f}, accuracy {:.2f} %, re-encoded {:.2f} %", fidelity.bound(),
                      100 * whole.original, 100 * whole.reencoded)};
}

StageResult evaluate(Session& session) {
  const Models models = session.judged();
  const auto& [classifier, encoder, decoder] = models;
  const data::Dataset& test = session.data().test;
  const EvaluationOptions& options = session.get<EvaluationOptions>();

  Generator codes = make_generator(session.seed(), "evaluation/fidelity");
  const flow::Fidelity fidelity = flow::fidelity(*encoder, *decoder, test, codes);
  save_bounds(session, kTestBounds, fidelity);
  if (causal(session) == 0) return evaluate_autoencoder(models, test, fidelity);
  Generator fresh = make_generator(session.seed(), "evaluation/ablation");
  const at::Tensor rows = data::sample_rows(test, options.ablation_images, fresh);
  const flow::Ablation ablation =
      flow::ablate(*encoder, *decoder, *classifier, data::pick(test, rows), fresh, session.progress);
  const flow::FlowReport flow = flow::measure_flow(*decoder, *classifier, causal(session), options.flow,
                                                   session.seed(), session.progress);
  nlohmann::json flow_json = flow::to_json(flow);
  flow_json["most_possible"] = std::log(static_cast<double>(classifier->classes()));
  return {{{"test", fidelity_json(fidelity)},
           {"information_flow", flow_json},
           {"ablation", to_json(ablation, factor_names(session))},
           {"brightness", brightness_json(session, models)}},
          {kTestBounds},
          fmt::format("I(alpha; Y) {:.3f} nats, I(beta; Y) {:.3f} nats, SSE + KL {:.2f}", flow.alpha.nats,
                      flow.beta.nats, fidelity.bound())};
}

nlohmann::json validation_content(Session& session) {
  nlohmann::json content = experiment::judging_content(session);
  content["images"] = experiment::content_of(session.validation_images());
  return content;
}

/// C and SSE + KL on Session::validation_images.
StageResult validate(Session& session) {
  const auto [classifier, encoder, decoder] = session.judged();
  Generator codes = make_generator(session.seed(), "validation/fidelity");
  const flow::Fidelity fidelity = flow::fidelity(*encoder, *decoder, session.validation_images(), codes);
  save_bounds(session, kValidationBounds, fidelity);
  nlohmann::json measured = fidelity_json(fidelity);
  std::string summary = fmt::format("SSE + KL {:.2f}", fidelity.bound());
  if (causal(session) > 0) {
    flow::Factors alpha(static_cast<std::size_t>(causal(session)));
    std::iota(alpha.begin(), alpha.end(), 0);
    Generator draws = make_generator(session.seed(), "validation/flow");
    const flow::FlowValue effect = flow::information_flow(
        *decoder, *classifier, alpha, session.get<EvaluationOptions>().flow, draws, session.progress);
    measured["alpha"] = flow::to_json(effect);
    summary = fmt::format("I(alpha; Y) {:.3f} nats, {}", effect.nats, summary);
  }
  return {{{"validation", measured}}, {kValidationBounds}, summary};
}

/// What the best linear image model would reach, for comparison.
StageResult refer(Session& session) {
  Generator directions = make_generator(session.seed(), "reference/directions");
  const flow::LinearReference model = flow::fit_linear(session.data().train, session.latents(), directions);
  const flow::LinearFidelity fidelity = flow::fidelity(model, session.data().test);
  return {{{"linear", flow::to_json(fidelity)}},
          {},
          fmt::format("SSE + KL {:.2f} of the best linear image model", fidelity.bound())};
}

}  // namespace

std::vector<experiment::Stage> evaluation_stages() {
  const std::vector<std::string_view> keys = {"evaluation", "run.seed"};
  const std::vector<std::string_view> models = {"data", "classifier", "explanation"};
  experiment::Stage validation{"validation", keys, models, validate, validation_content};
  validation.on_demand = true;
  return {validation,
          {"evaluation", keys, models, evaluate, experiment::judging_content},
          {"reference",
           {"generator.latents", "explanation.causal", "explanation.noncausal", "run.seed"},
           {"data"},
           refer}};
}

}  // namespace whence::kinds
