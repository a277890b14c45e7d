#include "kinds/morphing/morphing.h"

#include "experiment/figures.h"
#include "experiment/session.h"
#include "experiment/stages.h"
#include "kinds/attribution/attribution.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "kinds/independent/independent.h"
#include "kinds/morphing/entropy.h"
#include "kinds/morphing/known.h"
#include "kinds/morphing/path_figure.h"
#include "kinds/morphing/study.h"
#include "kinds/translation/translation.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::kinds {
namespace {

/// Images whose path is drawn, and test images that are searched for wrong answers.
constexpr std::int64_t kPaths = 4, kSearched = 2000;

bool morphs_are_asked(const config::Values& values) { return values.get<MorphingOptions>().images > 0; }

void check_morphing(const config::Values& values, const std::string& file) {
  if (!morphs_are_asked(values) || has_encoder(values)) return;
  const std::int64_t images = values.get<MorphingOptions>().images;
  if (trains_alone(values))
    fail_usage(
        "{}: morphing.images is {}, but the generator has no encoder, and a morph starts from the code of an "
        "image; train one for it (generator.encoder_steps), or leave the morphs out",
        file, images);
  fail_usage(
      "{}: morphing.images is {}, but the recipe trains no generator; set explanation.steps, or "
      "generator.latents for a plain autoencoder",
      file, images);
}

/// The stage's models; MorphingModels refers to them.
struct Loaded {
  experiment::Models models;
  std::unique_ptr<models::Classifier> independent;
  counterfactual::ClassAutoencoders autoencoders;
  counterfactual::KnownCodes known;
  std::optional<models::Translator> translator;

  MorphingModels view(experiment::Session& session) const {
    return {*models.classifier, {*models.encoder, *models.decoder, known},
            independent.get(),  &autoencoders,
            causal(session),    session.task().class_names,
            session.seed(),     translator ? &*translator : nullptr};
  }
};

Loaded loaded(experiment::Session& session) {
  const MorphingOptions& options = session.get<MorphingOptions>();
  Loaded result{session.judged(), independent_classifier(session), {}, {}, {}};
  const data::Dataset& train = session.data().train;
  result.known = known_codes(*result.models.classifier, *result.models.encoder, *result.models.decoder, train,
                             options.known, session.seed(), session.progress);
  result.translator = translator_of(session);
  result.autoencoders = class_autoencoders(train, options.components, session.seed());
  return result;
}

experiment::StageResult measure_morphs(experiment::Session& session) {
  const MorphingOptions& options = session.get<MorphingOptions>();
  const data::Dataset& test = session.data().test;
  Generator generator = make_generator(session.seed(), "morphing/images");
  const at::Tensor images = data::to_float(test, data::sample_rows(test, options.images, generator));
  const Loaded models = loaded(session);
  const MorphingModels view = models.view(session);
  const MorphStudy study = study_morphs(view, images, options, /*with_controls=*/true, session.progress);
  nlohmann::json metrics = to_json(study, view, options);
  if (options.entropy_pairs > 0)
    if (nlohmann::json entropy = path_entropy(view, options.entropy_pairs); !entropy.is_null())
      metrics["path_entropy"] = std::move(entropy);
  const nlohmann::json& morph = metrics.at("ways").at("morph");
  return {metrics,
          {},
          fmt::format("{:.1f} % of {} morphs are finished", 100 * (1 - morph.at("unfinished").get<double>()),
                      study.rows.size(0))};
}

/// Errors: a target that is neither a class nor a word for some.
void check_target(experiment::Session& session) {
  require_target("morphing.target", session.get<MorphingOptions>().target, session.task().class_names);
}

/// The first test images that the classifier gets wrong, at most `count`, and their classes.
std::pair<at::Tensor, at::Tensor> wrong_images(experiment::Session& session,
                                               const models::Classifier& classifier, std::int64_t count) {
  const data::Dataset& test = session.data().test;
  const at::Tensor images = data::to_float(test, 0, std::min<std::int64_t>(test.size(), kSearched));
  const at::Tensor labels = test.labels.narrow(0, 0, images.size(0));
  const at::Tensor wrong = attribution::answers_to(classifier, images).ne(labels).nonzero().squeeze(1);
  const at::Tensor rows = wrong.narrow(0, 0, std::min(count, wrong.size(0)));
  return {images.index_select(0, rows), labels.index_select(0, rows)};
}

/// Paths and masks of right answers, and of wrong ones against the true class.
void draw_paths(experiment::Session& session, const MorphingModels& view, experiment::Figures& figures) {
  attribution::Options options = attribution_options(session.recipe().values).options;
  options.seed = session.seed();
  options.generator = std::make_shared<const counterfactual::ImageModel>(view.model);
  if (view.translator != nullptr)
    options.translator = std::make_shared<const models::Translator>(*view.translator);
  const auto draw = [&](const at::Tensor& images, const at::Tensor& target, const std::string& name,
                        bool with_gains) {
    const PathPictures pictures = path_pictures(view.classifier, images, target, view.class_names, options);
    report::draw(pictures.grid, figures.stem(name));
    if (!with_gains) return;
    report::draw(pictures.gains, figures.stem(name + "-gain"));
    if (pictures.losses) report::draw(*pictures.losses, figures.stem(name + "-loss"));
  };
  const at::Tensor images = figures.samples(kPaths, "figures/paths").images;
  draw(images, attribution::answers_to(view.classifier, images), "path-masks", true);
  const auto [wrong, labels] = wrong_images(session, view.classifier, kPaths);
  if (wrong.size(0) > 0) draw(wrong, labels, "path-masks-of-wrong-answers", false);
}

void draw_run(experiment::Run& run, experiment::Figures& figures) {
  experiment::Session& session = run.session;
  MorphingOptions options = session.get<MorphingOptions>();
  if (options.target == "every") options.target = "second";
  const at::Tensor images = figures.samples(options.drawn, "figures/morphs").images;
  const Loaded models = loaded(session);
  const MorphingModels view = models.view(session);
  const MorphStudy study = study_morphs(view, images, options, /*with_controls=*/true, {});
  report::draw(morph_figure(study, view, options.drawn), figures.stem("morphs"));
  report::draw(ways_figure(study, view, options.drawn), figures.stem("morphs-and-controls"));
  const nlohmann::json& metrics = run.metrics.at("morphing");
  if (metrics.contains("path_entropy"))
    report::draw(entropy_chart(metrics.at("path_entropy")), figures.stem("path-entropy"));
  draw_paths(session, view, figures);
}

/// Adds the figure to the last section where the run has drawn it.
void add_if_drawn(const experiment::Run& run, report::Page& page, const std::string& name,
                  const std::string& caption) {
  if (std::filesystem::exists(run.session.folder() / ("figures/" + name + ".svg")))
    page.sections.back().figures.push_back(run.figure(name, caption));
}

void report_run(const experiment::Run& run, report::Page& page) {
  if (page.answer.empty()) answer_with_morphs(run.metrics.at("morphing"), page);
  page.sections.push_back(morphing_section_of(run.metrics.at("morphing")));
  page.sections.back().figures = {
      run.figure("morphs",
                 "Test images, their reconstructions, the path in codes and its end. The border is the "
                 "classifier's answer, the number below it the answer's probability."),
      run.figure(
          "morphs-and-controls",
          "What the morphs change, beside changes of pixels that give the classifier the same answer."),
      run.figure("path-masks",
                 "From the other class (left of the upper row) to the image's own (right of the lower row). "
                 "Green: the mask, the pixels whose "
                 "change carries the class; red: added on the way, blue: removed."),
      run.figure("path-masks-gain", "The gain of the masks on the path.")};
  add_if_drawn(run, page, "path-masks-loss",
               "The loss of the masks' search: the normalised L1 norm less the gain, image by image.");
  add_if_drawn(run, page, "path-masks-of-wrong-answers",
               "Test images that the classifier gets wrong: the path leads from the true class to the "
               "answer, and the mask shows what speaks for the answer.");
  const nlohmann::json& metrics = run.metrics.at("morphing");
  if (!metrics.contains("path_entropy")) return;
  page.sections.push_back(entropy_section_of(metrics.at("path_entropy")));
  add_if_drawn(run, page, "path-entropy",
               "One path, whose correlation is nearest to the median, and the mean of all. Dotted: the mean "
               "entropy step of the one path, and its window.");
}

std::vector<experiment::Metric> morphing_metrics() {
  using enum experiment::Better;
  return {{"morph_unfinished", "morphs that miss the stopping rule", "%", 2, lower,
           "Morphs that do not reach the entropy of the stopping rule.", "morphing.ways.morph.unfinished"},
          {"morph_failed", "morphs not found", "%", 2, lower,
           "Morphs that are not found, after the fallback.", "morphing.ways.morph.failed"},
          {"morph_transfer", "morphs that transfer", "%", 1, higher,
           "Morphs to which an independently trained classifier gives the new class as well.",
           "morphing.ways.morph.transfer"},
          {"morph_neighbours", "neighbours of the new class", "%", 1, higher,
           "Share of a morph's 5 nearest reconstructions of training images that are of the new class.",
           "morphing.ways.morph.neighbours"},
          {"morph_reencoding", "error of re-encoded morphs by that of reconstructions", "", 2, lower,
           "Squared error of a morph that is encoded and decoded, by the same of a reconstruction.",
           "morphing.ways.morph.reencoding_ratio"},
          {"morph_im1", "IM1 of morphs", "", 3, lower,
           "Error of a linear autoencoder of the new class by that of the old class's (Van Looveren and "
           "Klaise 2019).",
           "morphing.ways.morph.im1"},
          {"morph_im2", "IM2 of morphs", "", 4, lower,
           "Squared difference of the reconstructions by autoencoders of the new class and of all, by the "
           "sum of the pixels (Van "
           "Looveren and Klaise 2019).",
           "morphing.ways.morph.im2"},
          {"morph_iterations", "iterations of a morph", "", 1, lower,
           "Mean number of iterations, from all starts.", "morphing.ways.morph.iterations"},
          {"morph_seconds", "time of a morph", "ms", 2, lower, "Of one image, in a batch.",
           "morphing.ways.morph.seconds_per_image"},
          {"morph_distance", "distance of a morph", "", 2, neither, "L2 between reconstruction and morph.",
           "morphing.ways.morph.distance"},
          {"entropy_r", "r of entropy and gradient", "", 3, neither,
           "Pearson's r of the entropy of a path's two classes and the gradient of the first one's "
           "probability, over all values of all steps of all paths.",
           "morphing.path_entropy.r.values"},
          {"entropy_r_steps", "r of entropy and gradient, by steps", "", 3, neither,
           "The same, with the mean of the gradient's size over each step's image.",
           "morphing.path_entropy.r.steps"},
          {"entropy_r_path", "r of entropy and gradient within a path", "", 3, neither,
           "The same along each path by itself; the median over paths.", "morphing.path_entropy.r.path"},
          {"adversarial_transfer_l2", "adversarial changes in L2 that transfer", "%", 1, neither,
           "The control: changes of pixels in an L2 ball that an independent classifier follows.",
           "morphing.ways.adversarial_l2.transfer"},
          {"adversarial_transfer_linf", "adversarial changes in L-infinity that transfer", "%", 1, neither,
           "The control: changes of pixels in an L-infinity ball that an independent classifier follows.",
           "morphing.ways.adversarial_linf.transfer"},
          {"counterfactual_transfer", "latent counterfactuals that transfer", "%", 1, higher,
           "Latent counterfactuals to the same class to which an independent classifier gives it as well.",
           "morphing.ways.counterfactual.transfer"}};
}

}  // namespace

experiment::Kind morphing_kind() {
  using namespace config;
  const Section drawing{"figures",
                        "The figures.",
                        {{"morphs", Integer{at(&MorphingOptions::drawn), 1, 24}, "images",
                          "Test images, spread over the classes, whose morph is drawn."}}};
  experiment::Kind kind{"morphing",
                        "What an image would be as another class (Parafita 2018).",
                        {morphing_section(), drawing},
                        morphs_are_asked,
                        check_morphing};
  experiment::Stage morphs{
      "morphing",
      {"morphing", "run.seed"},
      {"data", "classifier", "generator", "encoder", "explanation", kIndependentStage, kTranslatorStage},
      measure_morphs,
      experiment::judging_content};
  morphs.ready = check_target;
  kind.stages = {morphs};
  kind.metrics = morphing_metrics();
  kind.figures = draw_run;
  kind.report = report_run;
  return kind;
}

}  // namespace whence::kinds
