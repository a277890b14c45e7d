// Stage "translator": its training.
#include <algorithm>

#include "experiment/stages.h"
#include "kinds/independent/independent.h"
#include "kinds/morphing/known.h"
#include "kinds/morphing/morphing.h"
#include "kinds/translation/translation.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/zoo/zoo.h"

namespace whence::kinds {
namespace {

using experiment::Session;

constexpr const char* kTranslatorFile = "translator.safetensors";

nn::Network untrained_translator(Session& session) {
  nn::Network network = models::translator_network({.image = session.task().image,
                                                    .classes = std::ssize(session.task().class_names),
                                                    .width = session.get<TranslationOptions>().width});
  network.to(session.device());
  return network;
}

nn::Network untrained_discriminator(Session& session, bool batch_norm) {
  nn::Network network = models::dcgan_discriminator({.image = session.task().image,
                                                     .width = session.get<TranslationOptions>().width,
                                                     .batch_norm = batch_norm,
                                                     .scores = std::ssize(session.task().class_names)});
  network.to(session.device());
  return network;
}

experiment::StageResult train_translator_of_run(Session& session) {
  models::TranslatorTraining options = session.get<TranslationOptions>().training;
  options.seed = session.seed();
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint(kTranslatorStage);
  options.checkpoint_seconds = session.get<experiment::RunOptions>().checkpoint_seconds;
  nn::Network translator = untrained_translator(session),
              discriminator = untrained_discriminator(session, !options.spectral_norm);
  const auto classifier = session.classifier(session.precision);
  const nn::LoopSummary summary = models::train_translator(translator, discriminator, classifier.get(),
                                                           session.data().train, options, session.progress);
  session.save(translator, std::string(kTranslatorStage));
  return {{{"train_seconds", summary.seconds},
           {"steps", summary.steps},
           {"step_seconds_median", summary.step_seconds_median}},
          {kTranslatorFile},
          fmt::format("{:.3f} s a step", summary.step_seconds_median),
          summary.seconds};
}

nlohmann::json translator_content(Session& session) { return {{"precision", name_of(session.precision)}}; }

/// Before anything is trained: images that do not fit, a target that is no class.
void check_translator(Session& session) {
  if (session.task().class_names.size() < 2)
    fail_usage("translation.steps is above 0, but there is one class only; a translator needs two or more");
  require_target("translation.target", session.get<TranslationOptions>().target, session.task().class_names);
  untrained_translator(session);
  untrained_discriminator(session, /*batch_norm=*/false);
}

}  // namespace

experiment::Stage translator_stage() {
  experiment::Stage stage{
      kTranslatorStage,
      {"translation.steps", "translation.width", "translation.batch", "translation.learning_rate",
       "translation.cycle_weight", "translation.identity_weight", "translation.class_weight",
       "translation.mask_weight", "translation.average", "run.seed"},
      {"data", "classifier"},
      train_translator_of_run,
      translator_content};
  stage.expensive = true;
  stage.ready = check_translator;
  return stage;
}

std::shared_ptr<const models::Translator> shared_translator(Session& session, Precision precision) {
  const std::filesystem::path file = session.folder() / kTranslatorFile;
  if (!translates(session.recipe().values) || !std::filesystem::exists(file)) return nullptr;
  nn::Network network = untrained_translator(session);
  nn::load_network(file, network);
  return std::make_shared<const models::Translator>(network, std::ssize(session.task().class_names),
                                                    precision);
}

std::optional<models::Translator> translator_of(Session& session) {
  const auto found = shared_translator(session, session.judging_precision());
  return found ? std::optional(*found) : std::nullopt;
}

LoadedTranslation load_translation(Session& session, const data::Dataset& train) {
  LoadedTranslation loaded;
  loaded.translator = translator_of(session);
  if (!loaded.translator)
    fail("{} has no translator; give the run of a recipe with translation.steps above 0",
         session.folder().path().string());
  loaded.classifier = session.classifier(session.judging_precision());
  loaded.independent = independent_classifier(session);
  loaded.class_names = session.task().class_names;
  if (!train.images.defined()) return loaded;
  const auto& morphing = session.get<MorphingOptions>();
  Generator generator = make_generator(session.seed(), "translation/known");
  const data::Dataset known = data::pick(train, data::sample_rows(train, morphing.known, generator));
  const at::Device device = loaded.classifier->device();
  loaded.known = {data::to_float(known).to(device), known.labels.to(device)};
  loaded.autoencoders = class_autoencoders(train, morphing.components, session.seed());
  return loaded;
}

TranslationModels LoadedTranslation::view() const {
  return {*classifier,
          *translator,
          independent.get(),
          autoencoders ? &*autoencoders : nullptr,
          known ? &*known : nullptr,
          class_names};
}

}  // namespace whence::kinds
