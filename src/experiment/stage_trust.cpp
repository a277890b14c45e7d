#include "experiment/pipeline.h"
#include "experiment/stages.h"
#include "experiment/trust.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::experiment {

/// The other run's weights, if there is one.
nlohmann::json trust_content(Session& session) {
  const std::filesystem::path other = session.recipe().trust.other_run;
  if (other.empty()) return nlohmann::json::object();
  const std::filesystem::path weights = other / "encoder.safetensors";
  if (!std::filesystem::exists(weights))
    fail("trust.other_run is {}, which has no encoder.safetensors; give the folder of a finished run",
         other.string());
  return {{"other_run", fingerprint_of(read_file(weights))}};
}

void check_other_run(Session& session) {
  trust_content(session);
  if (const std::filesystem::path other = session.recipe().trust.other_run; !other.empty())
    open_other_run(other, session.task().image);
}

StageResult trust_stage(Session& session) {
  if (!session.explains()) return {{}, {}, "no causal factors to check"};
  const Precision precision = session.judging_precision();
  const auto classifier = session.classifier(precision);
  const auto encoder = session.encoder(precision);
  const auto decoder = session.decoder(precision);
  const nlohmann::json flow = collect_metrics(session.folder()).at("gce").at("information_flow");
  const nlohmann::json trust = check_trust({.encoder = *encoder,
                                            .decoder = *decoder,
                                            .classifier = *classifier,
                                            .test = session.data().test,
                                            .causal = session.recipe().explanation.causal,
                                            .alpha = flow.at("alpha").get<flow::FlowValue>(),
                                            .beta = flow.at("beta").get<flow::FlowValue>(),
                                            .seed = session.seed()},
                                           session.recipe().trust, session.progress);
  return {{{"gce", {{"trust", trust}}}},
          {},
          fmt::format("{:.1f} % of re-encoded images keep their class",
                      100 * trust.at("reencoding").at("value").get<double>())};
}

}  // namespace whence::experiment
