// The row of the table.
#include "experiment/figures.h"
#include "experiment/stages.h"
#include "kinds/independent/independent.h"
#include "kinds/morphing/morphing.h"
#include "kinds/translation/translation.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::kinds {
namespace {

using experiment::Session;

void check_translation_keys(const config::Values& values, const std::string& file) {
  if (translates(values) && experiment::is_text(values.get<experiment::DataOptions>()))
    fail_usage("{}: translation.steps is above 0, but the recipe is about texts; a translator needs images",
               file);
}

experiment::StageResult measure_translations(Session& session) {
  const auto& options = session.get<TranslationOptions>();
  const double entropy = session.get<MorphingOptions>().search.entropy;
  const data::Dataset& test = session.data().test;
  Generator generator = make_generator(session.seed(), "translation/images");
  const at::Tensor images = data::to_float(test, data::sample_rows(test, options.images, generator));
  const LoadedTranslation loaded = load_translation(session, session.data().train);
  const TranslationStudy study =
      study_translations(loaded.view(), images, options.target, entropy, /*with_controls=*/true);
  const nlohmann::json metrics = to_json(study, entropy);
  return {metrics,
          {},
          fmt::format("{:.1f} % of {} translations are of the new class",
                      100 * (1 - metrics.at("ways").at("translation").at("failed").get<double>()),
                      study.cases.rows.size(0))};
}

void draw_translations(experiment::Run& run, experiment::Figures& figures) {
  Session& session = run.session;
  TranslationOptions options = session.get<TranslationOptions>();
  if (options.target == "every") options.target = "second";
  const LoadedTranslation loaded = load_translation(session, {});
  const at::Tensor images = figures.samples(options.drawn, "figures/translations").images;
  try {
    const TranslationStudy study =
        study_translations(loaded.view(), images, options.target,
                           session.get<MorphingOptions>().search.entropy, /*with_controls=*/false);
    report::draw(translation_figure(study, loaded.view(), options.drawn), figures.stem("translations"));
  } catch (const NothingToMorph&) {  // all that are drawn are of the asked class
  }
}

std::vector<report::Headline> translation_headlines(const nlohmann::json& metrics) {
  const nlohmann::json& ways = metrics.at("ways");
  const nlohmann::json& way = ways.at("translation");
  const auto percent = [](double share) { return fmt::format("{:.1f} %", 100 * share); };
  std::vector<report::Headline> lines = {
      {percent(1 - way.at("failed").get<double>()), "translations of the new class", ""}};
  if (way.contains("transfer")) {
    const nlohmann::json pixels = ways.value("adversarial_l2", nlohmann::json::object());
    lines.push_back({percent(way.at("transfer").get<double>()), "the independent classifier agrees",
                     pixels.contains("transfer")
                         ? percent(pixels.at("transfer").get<double>()) + " with mere changes of pixels"
                         : ""});
  }
  if (way.contains("neighbours"))
    lines.push_back({percent(way.at("neighbours").get<double>()), "neighbours of the new class",
                     "among the 5 nearest training images"});
  lines.push_back({percent(way.at("mask").get<double>()), "of an image may change", "mean of the masks"});
  return lines;
}

void report_translations(const experiment::Run& run, report::Page& page) {
  const nlohmann::json& metrics = run.metrics.at("translation");
  if (page.answer.empty()) {
    page.answer = translation_answer(metrics);
    page.headlines = translation_headlines(metrics);
  }
  page.sections.push_back(translation_section_of(metrics));
  if (std::filesystem::exists(run.session.folder() / "figures/translations.svg"))
    page.sections.back().figures = {run.figure(
        "translations",
        "Test images, the path from each to its translation, the mask (red: where the image may change), and "
        "the translation translated back. The border is the classifier's answer.")};
}

std::vector<experiment::Metric> metrics_of_translations() {
  using enum experiment::Better;
  return {{"translation_failed", "translations not of the new class", "%", 2, lower,
           "Translations to which the explained classifier does not give the asked class.",
           "translation.ways.translation.failed"},
          {"translation_unfinished", "translations that miss the stopping rule", "%", 2, lower,
           "Translations that do not reach the entropy of the stopping rule of morphs.",
           "translation.ways.translation.unfinished"},
          {"translation_transfer", "translations that transfer", "%", 1, higher,
           "Translations to which an independently trained classifier gives the new class as well.",
           "translation.ways.translation.transfer"},
          {"translation_neighbours", "neighbours of the new class, of translations", "%", 1, higher,
           "Share of a translation's 5 nearest training images that are of the new class.",
           "translation.ways.translation.neighbours"},
          {"translation_im1", "IM1 of translations", "", 3, lower, "As that of morphs.",
           "translation.ways.translation.im1"},
          {"translation_im2", "IM2 of translations", "", 4, lower, "As that of morphs.",
           "translation.ways.translation.im2"},
          {"translation_distance", "distance of a translation", "", 2, neither,
           "L2 between image and translation.", "translation.ways.translation.distance"},
          {"translation_cycle", "cycle error of translations", "", 4, lower,
           "Mean absolute difference between an image and its translation translated back.",
           "translation.ways.translation.cycle"},
          {"translation_mask", "mean of the translations' masks", "%", 1, neither,
           "Share of an image that its translation may change.", "translation.ways.translation.mask"},
          {"translator_seconds", "training of the translator", "min", 1, lower, "The training alone.",
           "translation.train_seconds"}};
}

}  // namespace

bool translates(const config::Values& values) { return values.get<TranslationOptions>().training.steps > 0; }

experiment::Kind translation_kind() {
  using namespace config;
  const Section drawing{"figures",
                        "The figures.",
                        {{"translations", Integer{at(&TranslationOptions::drawn), 1, 24}, "images",
                          "Test images, spread over the classes, whose translation is drawn."}}};
  experiment::Kind kind{"translation",
                        "What an image would be as another class, by a network that was trained to "
                        "translate between the classes.",
                        {translation_section(), drawing},
                        translates,
                        check_translation_keys};
  kind.stages = {translator_stage(),
                 {"translation",
                  {"translation.images", "translation.target", "morphing.entropy", "morphing.known",
                   "morphing.components", "run.seed"},
                  {"data", "classifier", kTranslatorStage, kIndependentStage},
                  measure_translations,
                  experiment::judging_content}};
  kind.metrics = metrics_of_translations();
  kind.figures = draw_translations;
  kind.report = report_translations;
  return kind;
}

}  // namespace whence::kinds
