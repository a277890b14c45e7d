#include "experiment/stages.h"
#include "whence/core/random.h"
#include "whence/explain/counterfactual/counterfactual.h"

namespace whence::experiment {

StageResult counterfactual_stage(Session& session) {
  const CounterfactualOptions& options = session.recipe().counterfactual;
  if (options.images == 0 || !session.explains()) return {{}, {}, "not asked for"};
  const Precision precision = session.judging_precision();
  const auto classifier = session.classifier(precision);
  const auto encoder = session.encoder(precision);
  const auto decoder = session.decoder(precision);
  const data::Dataset& test = session.data().test;

  Generator generator = make_generator(session.seed(), "counterfactual/images");
  const at::Tensor rows = data::sample_rows(test, options.images, generator);
  const counterfactual::CounterfactualSummary summary =
      counterfactual::summarise(counterfactual::explain_counterfactually(
          *encoder, *decoder, *classifier, data::to_float(test, rows), session.recipe().explanation.causal,
          options.search, session.progress));
  return {
      {{"gce", {{"counterfactual", counterfactual::to_json(summary, test.class_names)}}}},
      {},
      fmt::format("{:.1f} % of {} images can be made another class", 100 * summary.flip_rate, summary.asked)};
}

}  // namespace whence::experiment
