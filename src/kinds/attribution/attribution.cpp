#include "kinds/attribution/attribution.h"

#include <deque>

#include "experiment/figures.h"
#include "experiment/session.h"
#include "experiment/stages.h"
#include "kinds/attribution/comparison.h"
#include "kinds/attribution/live.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "kinds/morphing/known.h"
#include "kinds/morphing/morphing.h"
#include "kinds/translation/translation.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/path_mask.h"
#include "whence/explain/counterfactual/image_model.h"

namespace whence::kinds {
namespace {

using experiment::Session;

constexpr const char* kLayerFile = "attribution-live.json";

bool maps_are_asked(const config::Values& values) {
  return !values.get<AttributionOptions>().methods.empty();
}

void check_maps(const config::Values& values, const std::string& file) {
  const bool translated = attribution::by_translation(values.get<AttributionOptions>().options);
  if (translated && !translates(values))
    fail_usage(
        "{}: attribution.path_baseline is \"translation\", but the recipe trains no translator; set "
        "translation.steps above 0",
        file);
  if (translated || !maps_are_asked(values) || has_encoder(values)) return;
  for (const attribution::Method* method : attribution_methods(values.get<AttributionOptions>().methods))
    if (method->needs == attribution::Needs::generator)
      fail_usage(
          "{}: attribution.methods has {}, which needs an autoencoder, and the recipe trains none; set {}, "
          "or "
          "leave the method out",
          file, method->name,
          trains_alone(values) ? "generator.encoder_steps, which trains an encoder for this generator"
                               : "explanation.steps, or generator.latents for a plain autoencoder");
}

/// The recipe's options with the run's seed, and with what methods need of its training images.
AttributionOptions map_options(Session& session) {
  AttributionOptions options = attribution_options(session.recipe().values);
  options.options.seed = session.seed();
  add_training_images(options, session.data().train, attribution_methods(options.methods));
  return options;
}

/// Of the run; empty where it has no autoencoder.
struct RunGenerator {
  std::unique_ptr<models::Encoder> encoder;
  std::unique_ptr<models::Decoder> decoder;
  std::shared_ptr<const counterfactual::ImageModel> model;
};
RunGenerator generator_of(Session& session, const models::Classifier& classifier,
                          const AttributionOptions& options) {
  RunGenerator result;
  if (!has_encoder(session.recipe().values)) return result;
  result.encoder = session.encoder(session.judging_precision());
  result.decoder = session.decoder(session.judging_precision());
  counterfactual::KnownCodes codes;
  if (need_codes(attribution_methods(options.methods), options.options))
    codes = known_codes(classifier, *result.encoder, *result.decoder, session.data().train,
                        session.get<MorphingOptions>().known, session.seed());
  result.model = std::make_shared<const counterfactual::ImageModel>(
      counterfactual::ImageModel{*result.encoder, *result.decoder, codes});
  return result;
}

/// `compare`: compare_methods, or map_methods for maps alone.
Comparison maps_of(Session& session, const models::Classifier& classifier, const at::Tensor& images,
                   decltype(&compare_methods) compare, const ProgressCallback& progress) {
  AttributionOptions options = map_options(session);
  const RunGenerator generator = generator_of(session, classifier, options);
  options.options.generator = generator.model;
  options.options.translator = shared_translator(session, session.judging_precision());
  return compare(classifier, images, attribution::answers_to(classifier, images, options.options.batch),
                 attribution_methods(options.methods), options, /*may_skip=*/false, progress);
}

experiment::StageResult measure_maps(Session& session) {
  const AttributionOptions& options = session.get<AttributionOptions>();
  const auto classifier = session.classifier(session.judging_precision());
  const data::Dataset& test = session.data().test;
  Generator generator = make_generator(session.seed(), "attribution/images");
  const at::Tensor images = data::to_float(test, data::sample_rows(test, options.images, generator));
  const Comparison comparison = maps_of(session, *classifier, images, compare_methods, session.progress);
  nlohmann::json metrics = to_json(comparison, options);
  metrics["images"] = images.size(0);
  return {metrics, {}, fmt::format("{} methods on {} images", comparison.methods.size(), images.size(0))};
}

void draw_maps(experiment::Run& run, experiment::Figures& figures) {
  Session& session = run.session;
  const auto classifier = session.classifier(session.judging_precision());
  const std::int64_t drawn = session.get<AttributionOptions>().drawn;
  const auto [images, labels] = figures.samples(drawn, "figures/attributions");
  const Comparison comparison = maps_of(session, *classifier, images, map_methods, {});
  const ExplainedImages explained{images, attribution::answers_to(*classifier, images), labels,
                                  session.task().class_names};
  report::draw(attribution_figure(comparison, images, explained.target, explained.class_names, drawn),
               figures.stem("attributions"));
  write_file(session.folder() / kLayerFile,
             maps_layer(comparison, explained, verdict_of(run.metrics.at("attribution")).method, drawn));
  figures.keep(kLayerFile);
}

void report_maps(const experiment::Run& run, report::Page& page) {
  if (page.answer.empty()) page.answer = verdict_of(run.metrics.at("attribution")).text;
  page.sections.push_back(attribution_section_of(run.metrics.at("attribution")));
  page.sections.back().figures.push_back(run.figure("attributions",
                                                    "Test images and a row of maps for each method. The maps "
                                                    "of a row share one colour scale, whose deepest "
                                                    "colour the label states."));
  const std::filesystem::path layer = run.session.folder() / kLayerFile;
  if (std::filesystem::exists(layer)) page.sections.back().live = read_file(layer);
  page.sections.push_back(measures_section());
}

/// Names and paths of the metrics, which their rows point to.
std::string_view kept(std::string text) {
  static std::deque<std::string> texts;
  return texts.emplace_back(std::move(text));
}

/// The first measures have metrics of their own for each method; the others stand in metrics.json and in the report.
constexpr std::size_t kInMetrics = 3;

std::vector<experiment::Metric> metrics_of_maps() {
  std::vector<experiment::Metric> all;
  for (const attribution::Measure& measure : attribution::measures().first(kInMetrics))
    for (const attribution::Method& method : attribution::methods())
      all.push_back({kept(fmt::format("{}_{}", measure.name, method.name)),
                     kept(fmt::format("{}, {}", measure.title, method.title)), "", 3,
                     measure.larger_is_better ? experiment::Better::higher : experiment::Better::lower,
                     measure.meaning,
                     kept(fmt::format("attribution.methods.{}.{}.mean", method.name, measure.name))});
  return all;
}

}  // namespace

void add_training_images(AttributionOptions& options, const data::Dataset& train,
                         const AttributionMethods& methods) {
  constexpr std::int64_t learned_from = 5000;
  const auto drawn = [&](const char* purpose, std::int64_t count) {
    Generator generator = make_generator(options.options.seed, purpose);
    return data::to_float(train, data::sample_rows(train, count, generator));
  };
  options.options.references = drawn("attribution/references", options.references);
  if (need(attribution::Needs::training, methods))
    options.options.training = drawn("attribution/training", learned_from);
}

experiment::Kind attribution_kind() {
  const config::Section drawing{
      "figures",
      "The figures.",
      {{"attributions", config::Integer{config::at(&AttributionOptions::drawn), 1, 24}, "images",
        "Test images, spread over the classes, whose attributions are drawn."}}};
  experiment::Kind kind{"attribution",
                        "Which pixels speak for the classifier's answer.",
                        {attribution_section(), drawing},
                        maps_are_asked,
                        check_maps};
  std::vector<std::string_view> keys = {"attribution", "run.seed"};
  for (const config::Key& key : morph_keys("morphing.")) keys.push_back(key.name);
  kind.stages = {{"attribution",
                  keys,
                  {"data", "classifier", "generator", "encoder", "explanation", kTranslatorStage},
                  measure_maps,
                  experiment::judging_content}};
  kind.metrics = metrics_of_maps();
  kind.figures = draw_maps;
  kind.report = report_maps;
  return kind;
}

}  // namespace whence::kinds
