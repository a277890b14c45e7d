#include "kinds/modules/modules.h"

#include "experiment/figures.h"
#include "experiment/session.h"
#include "experiment/stages.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "kinds/modules/live.h"
#include "kinds/modules/study.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::kinds {
namespace {

using experiment::Session;

bool modules_are_asked(const config::Values& values) { return values.get<ModulesOptions>().pairs > 0; }

void check_modules(const config::Values& values, const std::string& file) {
  const auto& options = values.get<ModulesOptions>();
  if (options.pairs == 0) return;
  if (options.pairs < 2 * options.influence.groups)
    fail_usage("{}: modules.pairs is {}, but must be at least {}, or 0 for no modules", file, options.pairs,
               2 * options.influence.groups);
  if (options.grouping.window % 2 == 0)
    fail_usage("{}: modules.window is {}, but must be odd", file, options.grouping.window);
}

/// The run's models, in float32.
struct RunModels {
  std::unique_ptr<models::Classifier> classifier;
  std::unique_ptr<models::Encoder> encoder;
  std::unique_ptr<models::Decoder> decoder;
  at::Tensor images;

  explicit RunModels(Session& session) {
    if (session.latents() == 0)
      fail_usage(
          "modules.pairs is above 0, but this recipe trains no generator; give generator.latents or an "
          "explanation");
    const Precision with = Precision::float32;
    classifier = session.classifier(with);
    decoder = session.decoder(with);
    const bool encodes = has_encoder(session.recipe().values);
    images = images_to_encode(session.data().test, session.seed()).to(session.device());
    if (encodes && session.get<ModulesOptions>().source == OriginalSource::images)
      encoder = session.encoder(with);
  }
  StudiedModels parts() const { return {decoder.get(), encoder.get(), classifier.get(), images}; }
};

experiment::StageResult find_modules_of_run(Session& session) {
  const RunModels models(session);
  ModulesOptions options = session.get<ModulesOptions>();
  options.precision = session.judging_precision();
  const ModuleStudy study = study_modules(models.parts(), options, session.seed(), session.progress);
  save_modules(study.modules, session.folder() / kModulesFile);
  return {to_json(study),
          {kModulesFile},
          fmt::format("{} modules, margin {:.3f}", study.modules.rank(), study.measured.margin.mean)};
}

void draw_modules(experiment::Run& run, experiment::Figures& figures) {
  Session& session = run.session;
  const RunModels models(session);
  const auto& options = session.get<ModulesOptions>();
  const nlohmann::json& study = run.metrics.at("modules");
  const modularity::Modules modules = load_modules(session.folder() / kModulesFile);
  const modularity::Cut cut(*models.decoder, options.layer);
  const auto& names = session.task().class_names;
  Generator generator = make_generator(session.seed(), "figures/modules");
  const StudiedOriginals originals = originals_of(models.parts(), cut, options.source);
  report::draw(maps_figure(modules), figures.stem("modules-maps"));
  const modularity::Pairs pairs = modularity::draw_pairs(originals.measured, options.drawn, generator);
  report::draw(hybrids_figure(cut, modules, pairs, models.classifier.get(), names),
               figures.stem("modules-hybrids"));
  report::draw(
      scaled_figure(cut, modules, originals.measured(256, generator), models.classifier.get(), names),
      figures.stem("modules-scaled"));
  report::draw(stability_chart(study), figures.stem("modules-stability"));
  report::draw(flow_chart(study, names.size()), figures.stem("modules-flow"));
  figures.keep(write_swaps(session.folder(), *models.decoder, cut.layer(), modules));
}

void report_modules(const experiment::Run& run, report::Page& page) {
  if (page.answer.empty()) page.answer = modules_answer(run.metrics.at("modules"));
  page.sections.push_back(modules_report(run.metrics.at("modules")));
  add_swaps(run, page.sections.back());
  std::vector<report::FigureRef>& figures = page.sections.back().figures;
  figures.push_back(
      run.figure("modules-maps", "Templates of the modules and example maps of their channels."));
  figures.push_back(
      run.figure("modules-hybrids",
                 "Pairs of originals, and the first with the channels of one module from the second."));
  figures.push_back(
      run.figure("modules-scaled", "One image whose modules are ablated, attenuated and amplified."));
  figures.push_back(
      run.figure("modules-flow", "Which module moves the classifier; beside each, as many random channels."));
  figures.push_back(run.figure("modules-stability", "How far modules from two halves of the pairs agree."));
}

std::vector<experiment::Metric> metrics_of_modules() {
  using enum experiment::Better;
  return {{"modules", "modules", "", 0, neither, "How many modules the channels form.", "modules.rank"},
          {"module_margin", "margin of modules", "", 3, higher,
           "Share of a hybrid's change inside the module's region, minus that of random channels.",
           "modules.margin.mean"},
          {"untrained_margin", "margin with new weights", "", 3, neither,
           "The margin of the same architecture with new weights.", "modules.untrained.margin.mean"},
          {"module_selectivity", "selectivity of modules", "", 3, higher,
           "How far hybrids go to the second original, inside the module's region minus outside.",
           "modules.selectivity.module.mean"},
          {"template_cosine", "cosine of templates", "", 3, higher,
           "Between the templates from two halves of the pairs.", "modules.halves.cosine"},
          {"label_rand", "adjusted Rand index of labels", "", 3, higher,
           "Between the modules of channels from two halves of the pairs.", "modules.halves.rand"},
          {"hybrid_distance", "Frechet distance of hybrids", "", 2, lower,
           "Between hybrids by a module and samples of the generator, in the features of the classifier.",
           "modules.frechet.module.to_samples.mean"},
          {"module_flow", "largest flow of a module", "nats", 3, neither,
           "Information flow from the module that moves the classifier most.", "",
           [](const nlohmann::json& metrics) -> std::optional<double> {
             double most = -std::numeric_limits<double>::infinity();
             for (const nlohmann::json& module : metrics.at("modules").at("modules"))
               most = std::max(most, module.at("flow").at("nats").get<double>());
             return most;
           }}};
}

}  // namespace

experiment::Kind modules_kind() {
  const config::Section drawing{"figures",
                                "The figures.",
                                {{"modules", config::Integer{config::at(&ModulesOptions::drawn), 1, 24},
                                  "pairs", "Pairs of originals whose hybrids are drawn."}}};
  experiment::Kind kind{"modules",
                        "What the parts of the generator do, and which part moves the classifier.",
                        {modules_section(), drawing},
                        modules_are_asked,
                        check_modules};
  kind.stages = {{"modules",
                  {"modules", "run.seed"},
                  {"data", "classifier", "generator", "encoder", "explanation"},
                  find_modules_of_run,
                  experiment::judging_content}};
  kind.metrics = metrics_of_modules();
  kind.figures = draw_modules;
  kind.report = report_modules;
  kind.report_seeds = report_modules_seeds;
  return kind;
}

}  // namespace whence::kinds
