#include <numeric>

#include "experiment/stages.h"
#include "whence/core/random.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::experiment {

nlohmann::json validation_content(Session& session) {
  nlohmann::json content = evaluation_content(session);
  content["images"] = content_of(session.validation_images());
  return content;
}

StageResult validation_stage(Session& session) {
  const Precision precision = session.judging_precision();
  const auto classifier = session.classifier(precision);
  const auto encoder = session.encoder(precision);
  const auto decoder = session.decoder(precision);

  Generator codes = make_generator(session.seed(), "validation/fidelity");
  const flow::Fidelity fidelity = flow::fidelity(*encoder, *decoder, session.validation_images(), codes);
  save_bounds(session, kValidationBounds, fidelity);
  nlohmann::json measured = to_json(fidelity);
  std::string summary = fmt::format("SSE + KL {:.2f}", fidelity.bound());
  if (session.explains()) {
    flow::Factors alpha(static_cast<std::size_t>(session.causal()));
    std::iota(alpha.begin(), alpha.end(), 0);
    Generator draws = make_generator(session.seed(), "validation/flow");
    const flow::FlowValue effect = flow::information_flow(
        *decoder, *classifier, alpha, session.recipe().evaluation.flow, draws, session.progress);
    measured["alpha"] = flow::to_json(effect);
    summary = fmt::format("I(alpha; Y) {:.3f} nats, {}", effect.nats, summary);
  }
  return {{{"gce", {{"validation", measured}}}}, {kValidationBounds}, summary};
}

}  // namespace whence::experiment
