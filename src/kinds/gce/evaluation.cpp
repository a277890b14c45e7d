// Stages that measure what was trained: "validation", by which settings are compared, "evaluation" and "reference".
#include <numeric>

#include "experiment/stages.h"
#include "kinds/gce/figures.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/image_model.h"
#include "whence/core/random.h"
#include "whence/explain/flow/brightness.h"

namespace whence::kinds {
namespace {

using experiment::Models, experiment::StageResult;

/// Images that are generated to see how bright they are; decoding them takes a moment.
constexpr std::int64_t kBrightnessDraws = 2000;

nlohmann::json brightness_json(Session& session, const Models& models) {
  Generator draws = make_generator(session.seed(), "evaluation/brightness");
  return flow::to_json(
      flow::factor_brightness(*models.encoder, *models.decoder, session.data().test, kBrightnessDraws, draws),
      factor_names(session), kBrightnessDraws);
}

StageResult evaluate(Session& session) {
  const Models models = session.judged();
  const auto& [classifier, encoder, decoder] = models;
  const data::Dataset& test = session.data().test;
  const EvaluationOptions& options = session.get<EvaluationOptions>();

  Generator codes = make_generator(session.seed(), "evaluation/fidelity");
  const flow::Fidelity fidelity = flow::fidelity(*encoder, *decoder, test, codes);
  save_bounds(session, kTestBounds, fidelity);
  Generator fresh = make_generator(session.seed(), "evaluation/ablation");
  const at::Tensor rows = data::sample_rows(test, options.ablation_images, fresh);
  const flow::Ablation ablation =
      flow::ablate(*encoder, *decoder, *classifier, data::pick(test, rows), fresh, session.progress);
  const flow::FlowReport flow = flow::measure_flow(*decoder, *classifier, causal(session), options.flow,
                                                   session.seed(), session.progress);
  nlohmann::json flow_json = flow::to_json(flow);
  flow_json["most_possible"] = std::log(static_cast<double>(classifier->classes()));
  return {{{"test", to_json(fidelity)},
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
  nlohmann::json measured = to_json(fidelity);
  flow::Factors alpha(static_cast<std::size_t>(causal(session)));
  std::iota(alpha.begin(), alpha.end(), 0);
  Generator draws = make_generator(session.seed(), "validation/flow");
  const flow::FlowValue effect = flow::information_flow(
      *decoder, *classifier, alpha, session.get<EvaluationOptions>().flow, draws, session.progress);
  measured["alpha"] = flow::to_json(effect);
  return {{{"validation", measured}},
          {kValidationBounds},
          fmt::format("I(alpha; Y) {:.3f} nats, SSE + KL {:.2f}", effect.nats, fidelity.bound())};
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
           linear_reference}};
}

}  // namespace whence::kinds
