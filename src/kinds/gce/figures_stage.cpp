// The figures of a run.
#include "kinds/gce/curves.h"
#include "kinds/gce/figures.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/live.h"

namespace whence::kinds {
namespace {

constexpr std::int64_t kReconstructions = 12;

/// Sweeps, or strips, of the factors that are named.
void draw_sweeps(Session& session, const experiment::Models& models, experiment::Figures& figures,
                 const std::string& name, const std::vector<std::string>& shown) {
  const FigureOptions& options = session.get<FigureOptions>();
  const bool strips = name == "strip";
  const experiment::Samples rows = figures.samples(strips ? options.strip_rows : options.sweep_rows,
                                                   strips ? "figures/strips" : "figures/sweeps");
  const std::vector<double> steps = flow::even_steps(-options.sweep_range, options.sweep_range,
                                                     strips ? options.strip_steps : options.sweep_steps);
  const at::NoGradGuard no_grad;
  const at::Tensor codes = models.encoder->encode(rows.images).mean;
  const std::vector<std::string> factors = factor_names(session);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (std::find(shown.begin(), shown.end(), factors[i]) == shown.end()) continue;
    const auto index = static_cast<std::int64_t>(i);
    draw_sweep(
        flow::sweep(*models.decoder, *models.classifier, codes, index, steps),
        {.title = (strips ? "The transition in small steps: " : "One factor moves, the others are kept: ") +
                  factors[i],
         .axis = "added to " + factors[i] + " (0: the reconstruction)",
         .class_names = session.task().class_names,
         .row_labels = rows.labels,
         .probabilities = options.probabilities},
        figures.stem(name + "-" + factors[i]));
  }
}

}  // namespace

void draw_gce(experiment::Run& run, experiment::Figures& figures) {
  Session& session = run.session;
  const experiment::Models models = session.judged();
  const std::vector<std::string>& classes = session.task().class_names;
  draw_reconstructions(*models.encoder, *models.decoder, *models.classifier,
                       figures.samples(kReconstructions, "figures/reconstructions"), classes,
                       figures.stem("reconstructions"));
  const nlohmann::json& gce = run.metrics.at("gce");
  const nlohmann::json& flow = gce.at("information_flow");
  std::vector<std::string> alphas = factor_names(session);
  alphas.resize(static_cast<std::size_t>(causal(session)));
  const auto shown = shown_factors(flow, session.get<FigureOptions>().others);
  draw_sweeps(session, models, figures, "sweep", shown);
  draw_sweeps(session, models, figures, "strip", alphas);
  draw_flow(flow, shown, classes.size(), figures.stem("information-flow"));
  draw_ablation(gce.at("ablation"), shown, causal(session), figures.stem("ablation"));
  figures.keep(write_live(session, figures, factor_names(session), causal(session)));
  if (const auto chart = training_chart({{"", training_curve(session.folder().path())}}))
    report::draw(*chart, figures.stem("training"));
}

}  // namespace whence::kinds
