#include "kinds/visualization/visualization.h"

#include <deque>

#include "experiment/figures.h"
#include "experiment/session.h"
#include "experiment/stages.h"
#include "kinds/visualization/gallery.h"
#include "kinds/visualization/judge.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/interchange/safetensors.h"

namespace whence::kinds {
namespace {

using experiment::Session;

constexpr const char* kPictures = "visualizations.safetensors";

bool pictures_are_asked(const config::Values& values) {
  return !values.get<VisualizationOptions>().objectives.empty();
}

bool uses_prior(const VisualizationOptions& options) {
  const auto& names = options.parametrizations;
  return names.empty() || std::find(names.begin(), names.end(), "prior") != names.end();
}

void check_values(const config::Values& values, const std::string& file) {
  const auto& options = values.get<VisualizationOptions>();
  const auto& names = options.parametrizations;
  const bool pixels = std::find(names.begin(), names.end(), "pixels") != names.end();
  if ((options.options.gaussian_blur > 0 || options.options.bilateral_blur > 0) && !pixels)
    fail_usage(
        "{}: visualization has a blur, which is laid over pixels, but its parametrizations have no 'pixels'",
        file);
}

/// The recipe's, with the run's seed.
VisualizationOptions chosen_options(Session& session) {
  VisualizationOptions options = session.get<VisualizationOptions>();
  options.options.seed = session.seed();
  return options;
}

experiment::StageResult make_pictures(Session& session) {
  const VisualizationOptions options = chosen_options(session);
  if (uses_prior(options) && session.latents() == 0)
    fail_usage(
        "visualization.parametrizations names 'prior', but the run has no generator; set generator.latents, "
        "or leave 'prior' out");
  const auto classifier = session.classifier(Precision::float32);
  const auto decoder = uses_prior(options) ? session.decoder(Precision::float32) : nullptr;
  const auto judge = judge_of(session);
  const data::Dataset& test = session.data().test;
  Generator generator = make_generator(session.seed(), "visualization/references");
  const at::Tensor rows = data::sample_rows(test, options.references, generator);
  const GalleryModels models = {*classifier,
                                decoder.get(),
                                judge.get(),
                                data::to_float(test, rows, session.device()),
                                test.labels.index_select(0, rows).to(session.device()),
                                session.task().class_names};
  std::vector<GalleryPage> pages;
  nlohmann::json metrics = {{"references", rows.size(0)}, {"pages", nlohmann::json::object()}};
  for (const visualization::Objective& objective : asked_objectives(options, models)) {
    pages.push_back(make_page(objective, options, models, session.progress));
    metrics["pages"][pages.back().id()] = to_json(pages.back());
  }
  if (judge) metrics["judge"] = models::accuracy(*judge, test);
  nn::save_safetensors(session.folder() / kPictures, tensors_of(pages));
  return {metrics, {kPictures}, fmt::format("{} pages of pictures", pages.size())};
}

std::string figure_of(const std::string& id) { return "visualization-" + id; }

void draw_pictures(experiment::Run& run, experiment::Figures& figures) {
  const nlohmann::json& metrics = run.metrics.at("visualization");
  const nn::NamedTensors tensors = nn::load_safetensors(run.session.folder() / kPictures).tensors;
  for (const auto& [id, page] : metrics.at("pages").items())
    report::draw(
        gallery_figure(page_of(page, id, tensors), run.session.task().class_names, metrics.contains("judge")),
        figures.stem(figure_of(id)));
}

void report_pictures(const experiment::Run& run, report::Page& page) {
  const nlohmann::json& metrics = run.metrics.at("visualization");
  if (page.answer.empty()) page.answer = visualization_answer(metrics);
  page.sections.push_back(visualization_section_of(metrics));
  for (const auto& [id, own] : metrics.at("pages").items())
    page.sections.back().figures.push_back(
        run.figure(figure_of(id),
                   "A row for each unit: the control without regularizers, pictures by each "
                   "parametrization, and the test images that respond most."));
}

/// Texts that metrics point to.
std::string_view kept_name(std::string text) {
  static std::deque<std::string> texts;
  return texts.emplace_back(std::move(text));
}

std::vector<experiment::Metric> metrics_of_pictures() {
  std::vector<std::pair<std::string, std::string>> columns = {{"control", "control"}};
  for (const visualization::Parametrization& each : visualization::parametrizations())
    columns.emplace_back(each.name, each.title);
  std::vector<experiment::Metric> all;
  for (const auto& [name, title] : columns)
    all.push_back({kept_name(fmt::format("transfer_{}", name)),
                   kept_name(fmt::format("transfer of pictures, {}", title)), "%", 1,
                   name == "control" ? experiment::Better::neither : experiment::Better::higher,
                   "Pictures of a class's largest logit that the second network gives this class.",
                   kept_name(fmt::format("visualization.pages.logit.columns.{}.transfer", name))});
  return all;
}

}  // namespace

experiment::Kind visualization_kind() {
  experiment::Kind kind{"visualization",
                        "What classes and units of the classifier respond to most.",
                        {visualization_section()},
                        pictures_are_asked,
                        check_values};
  kind.stages = {{"judge",
                  {"classifier", "visualization.judge", "visualization.judge_file", "run.seed"},
                  {"data"},
                  judge_stage,
                  experiment::classifier_content},
                 {"visualization",
                  {"visualization", "run.seed"},
                  {"data", "classifier", "generator", "explanation", "judge"},
                  make_pictures}};
  kind.metrics = metrics_of_pictures();
  kind.figures = draw_pictures;
  kind.report = report_pictures;
  return kind;
}

}  // namespace whence::kinds
