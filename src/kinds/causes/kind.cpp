// The row of the table.
#include "experiment/figures.h"
#include "experiment/session.h"
#include "experiment/stages.h"
#include "kinds/causes/causes.h"
#include "kinds/gce/figures.h"
#include "whence/core/error.h"

namespace whence::kinds {
namespace {

using experiment::Session;

/// Betas that get a bar beside the causal factors.
constexpr std::int64_t kShownBetas = 8;

bool causes_are_asked(const config::Values& values) { return values.get<CausesOptions>().causal > 0; }

void check_causes(const config::Values& values, const std::string& file) {
  const auto& options = values.get<CausesOptions>();
  const std::int64_t latents = values.get<experiment::GeneratorOptions>().latents;
  if (options.causal == 0) return;
  if (latents == 0)
    fail_usage(
        "{}: causes.causal is above 0, but this recipe trains no generator alone; give generator.latents",
        file);
  if (options.causal > latents)
    fail_usage("{}: causes.causal is {}, but the generator has {} latents (generator.latents)", file,
               options.causal, latents);
}

experiment::StageResult find_causes_of_run(Session& session) {
  const auto classifier = session.classifier(Precision::float32);
  const auto decoder = session.decoder(Precision::float32);
  const CausesStudy study =
      study_causes(*decoder, *classifier, session.get<CausesOptions>(), session.seed(), session.progress);
  return {to_json(study), save_causes(study, *decoder, session.folder().path()),
          fmt::format("I(alpha; Y) = {:.3f} nats, {:.1f} % of the flow in the betas", study.kept().alpha.nats,
                      100 * beta_share(study.kept()))};
}

void draw_causes_of_run(experiment::Run& run, experiment::Figures& figures) {
  Session& session = run.session;
  const auto classifier = session.classifier(Precision::float32);
  const auto decoder = session.decoder(Precision::float32);
  const std::filesystem::path folder = figures.stem("causes-flow").parent_path();
  const auto& names = session.task().class_names;
  const nlohmann::json& flow = run.metrics.at("causes").at("flow");
  draw_flow(flow, shown_factors(flow, kShownBetas), names.size(), folder / "causes-flow");
  for (const std::string& name :
       draw_causes(*decoder, *classifier, gce::LatentMap::load(session.folder() / kCausesFile),
                   session.get<CausesOptions>(), session.seed(), names, folder))
    figures.stem(name);
}

void report_causes(const experiment::Run& run, report::Page& page) {
  const nlohmann::json& study = run.metrics.at("causes");
  const std::size_t classes = run.session.task().class_names.size();
  if (page.answer.empty()) page.answer = causes_answer(study, classes);
  page.sections.push_back(causes_report(study, classes));
  std::vector<report::FigureRef>& figures = page.sections.back().figures;
  figures.push_back(run.figure("causes-flow", "How much each factor moves the classifier."));
  for (std::int64_t i = 1; i <= study.at("causal").get<std::int64_t>(); ++i)
    figures.push_back(
        run.figure(fmt::format("causes-alpha_{}", i),
                   fmt::format("alpha_{} moves each sample of the generator; all else is kept.", i)));
}

std::vector<experiment::Metric> metrics_of_causes() {
  using enum experiment::Better;
  return {{"causes_flow", "I(alpha; Y) of a frozen generator's causes", "nats", 3, higher,
           "Information flow from the causal factors of a frozen generator to the classifier's answer.",
           "causes.flow.alpha.nats"},
          {"causes_beta_share", "share of the flow in the other factors", "%", 1, lower,
           "Flow of all other factors of the frozen generator over that of all.", "causes.flow.beta_share"},
          {"causes_straight_share", "the same of straight directions", "%", 1, lower,
           "The share without a map that bends the directions.", "causes.directions.beta_share"}};
}

}  // namespace

experiment::Kind causes_kind() {
  const config::Section drawing{"figures",
                                "The figures.",
                                {{"causes", config::Integer{config::at(&CausesOptions::drawn), 1, 24},
                                  "samples", "Samples of the generator whose sweeps are drawn."}}};
  experiment::Kind kind{"causes",
                        "Which factors of a frozen generator move the classifier.",
                        {causes_section(), drawing},
                        causes_are_asked,
                        check_causes};
  kind.stages = {{"causes", {"causes", "run.seed"}, {"data", "classifier", "generator"}, find_causes_of_run}};
  kind.metrics = metrics_of_causes();
  kind.figures = draw_causes_of_run;
  kind.report = report_causes;
  return kind;
}

}  // namespace whence::kinds
