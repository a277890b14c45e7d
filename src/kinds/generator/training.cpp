// Stages "generator" and "encoder": the trainings.
#include "experiment/stages.h"
#include "kinds/generator/generator.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/random.h"
#include "whence/models/evaluation/features.h"
#include "whence/models/evaluation/sample_quality.h"
#include "whence/models/train/feature_term.h"
#include "whence/models/train/whiten.h"

namespace whence::kinds {
namespace {

using experiment::StageResult;

constexpr std::int64_t kCandidateImages = 1000;
/// Training images that the deviations of the classifier's features are taken of.
constexpr std::int64_t kFeatureImages = 1000;

/// What all trainings have in common, from the run.
template <class Training>
void set_up(Training& options, Session& session, const char* stage = "generator") {
  options.seed = session.seed();
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint(stage);
  options.checkpoint_seconds = session.get<experiment::RunOptions>().checkpoint_seconds;
}

nlohmann::json cost_of(const nn::LoopSummary& summary) {
  return {{"train_seconds", summary.seconds},
          {"steps", summary.steps},
          {"step_seconds_median", summary.step_seconds_median}};
}

StageResult result_of(const nn::LoopSummary& summary, std::vector<std::string> products) {
  return {cost_of(summary), std::move(products), fmt::format("{:.3f} s a step", summary.step_seconds_median),
          summary.seconds};
}

/// What the classifier makes of reconstructions.
models::ReconstructionTerm features_of(Session& session, const models::Classifier& classifier) {
  const GeneratorTraining& recipe = session.get<GeneratorTraining>();
  const auto& layers = recipe.feature_layers;
  const data::Dataset& train = session.data().train;
  Generator rows = make_generator(session.seed(), "generator/features");
  const at::Tensor images =
      data::to_float(train, data::sample_rows(train, kFeatureImages, rows), session.device());
  return models::feature_term(classifier, layers.empty() ? models::feature_layers(classifier) : layers,
                              images, recipe.feature_weight);
}

StageResult train_autoencoder(Session& session) {
  models::VaeTraining options = session.get<GeneratorTraining>().vae;
  set_up(options, session);
  const auto& generator = session.get<experiment::GeneratorOptions>();
  options.initial = generator.initial;
  nn::Network encoder = session.encoder_network(), decoder = session.decoder_network();
  options.warm_start = load_start(session, encoder, decoder, options.kl_weight);
  std::unique_ptr<models::Classifier> classifier;
  if (keeps_answers(session.recipe().values)) {
    classifier = session.classifier(session.precision);
    options.terms.push_back(features_of(session, *classifier));
  }
  const nn::LoopSummary summary =
      models::train_vae(encoder, decoder, session.data().train, options, session.progress);
  if (session.get<GeneratorTraining>().whiten) models::whiten_codes(encoder, decoder, session.data().train);
  session.save(encoder, "encoder");
  session.save(decoder, "decoder");
  return result_of(summary, {"encoder.safetensors", "decoder.safetensors"});
}

models::GanTraining gan_options(Session& session) {
  const GeneratorTraining& recipe = session.get<GeneratorTraining>();
  models::GanTraining options = recipe.gan;
  options.steps = recipe.vae.steps;
  options.batch = recipe.vae.batch;
  options.learning_rate = recipe.vae.learning_rate;
  options.beta1 = recipe.vae.beta1;
  options.beta2 = recipe.vae.beta2;
  set_up(options, session);
  return options;
}

/// How far samples are from validation images; the same draws for each candidate.
class CandidateDistance {
 public:
  explicit CandidateDistance(Session& session)
      : seed_(session.seed()),
        precision_(session.judging_precision()),
        classifier_(session.classifier(precision_)),
        features_(*classifier_, session.get<GeneratorTraining>().features) {
    Generator rows = make_generator(seed_, "generator/validation");
    const data::Dataset& images = session.validation_images();
    real_ = features_.of(data::pick(images, data::sample_rows(images, kCandidateImages, rows)));
  }

  double operator()(const nn::Network& candidate) const {
    Generator draws = make_generator(seed_, "generator/candidates");
    const auto decoder = models::as_decoder(candidate, precision_);
    return models::frechet_distance(real_, features_.of_samples(*decoder, real_.size(0), draws)).value;
  }

 private:
  std::uint64_t seed_;
  Precision precision_;
  std::unique_ptr<models::Classifier> classifier_;
  models::Features features_;
  at::Tensor real_;
};

StageResult train_adversaries(Session& session) {
  const models::GanTraining options = gan_options(session);
  nn::Network generator = session.decoder_network();
  nn::Network discriminator =
      models::dcgan_discriminator({.image = session.task().image,
                                   .width = session.get<GeneratorTraining>().discriminator_width,
                                   .batch_norm = !options.spectral_norm});
  discriminator.to(session.device());
  std::optional<CandidateDistance> judge;
  if (options.candidate_steps > 0) judge.emplace(session);
  const models::GanSummary summary = models::train_gan(
      generator, discriminator, session.data().train, options,
      [&](const nn::Network& candidate) { return (*judge)(candidate); }, session.progress);
  session.save(generator, "decoder");
  StageResult result = result_of(summary.loop, {"decoder.safetensors"});
  if (judge) {
    result.metrics["chosen_step"] = summary.chosen_step;
    result.metrics["validation_distance"] = summary.distance;
    result.summary += fmt::format(", that of step {} is kept", summary.chosen_step);
  }
  return result;
}

StageResult train_generator(Session& session) {
  const std::string& file = session.get<experiment::GeneratorOptions>().file;
  if (!file.empty())
    return {{{"file", std::filesystem::path(file).filename().string()}}, {}, "taken as it is"};
  return trains_autoencoder(session.recipe().values) ? train_autoencoder(session)
                                                     : train_adversaries(session);
}

StageResult train_encoder(Session& session) {
  models::InverseTraining options = session.get<GeneratorTraining>().inverse;
  set_up(options, session, "encoder");
  options.initial = session.get<experiment::GeneratorOptions>().initial;
  nn::Network encoder = session.encoder_network();
  const auto decoder = session.decoder(session.precision);
  StageResult result =
      result_of(models::train_inverse(encoder, *decoder, session.data().train, options, session.progress),
                {"encoder.safetensors"});
  result.metrics = {{"encoder", std::move(result.metrics)}};
  session.save(encoder, "encoder");
  return result;
}

/// An architecture that does not fit the images is told before the generator is trained.
void check_encoder(Session& session) { session.encoder_network(); }

nlohmann::json precision_content(Session& session) { return {{"precision", name_of(session.precision)}}; }

/// The keys of [generator] but for those of its encoder, which may be trained again for the same generator.
std::vector<std::string_view> keys_without_encoder() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    const auto add = [&](const config::Section& section) {
      if (section.name != "generator") return;
      for (const config::Key& key : section.keys)
        if (!key.name.starts_with("encoder_")) all.push_back(fmt::format("generator.{}", key.name));
    };
    for (const config::Section& section : experiment::base_sections()) add(section);
    add(generator_section());
    return all;
  }();
  std::vector<std::string_view> keys(names.begin(), names.end());
  keys.emplace_back("run.seed");
  return keys;
}

/// What the training would miss after the classifier's: the start's weights, and the layers that are compared.
void check_training(Session& session) {
  if (!session.get<experiment::GeneratorOptions>().file.empty()) return;
  check_start(session);
  if (session.get<GeneratorTraining>().whiten)
    models::check_whitening(session.encoder_network(), session.decoder_network(), "generator.whiten");
  const std::vector<std::string>& layers = session.get<GeneratorTraining>().feature_layers;
  if (!keeps_answers(session.recipe().values) || layers.empty() ||
      !session.get<experiment::ClassifierOptions>().file.empty())
    return;
  const nn::Network classifier = session.classifier_network();
  for (const std::string& layer : layers) classifier.find(layer);
}

nlohmann::json training_content(Session& session) {
  const std::string& file = session.get<experiment::GeneratorOptions>().file;
  if (!file.empty()) return {{"file", experiment::fingerprint_of(read_file(file))}};
  nlohmann::json content = start_content(session);
  content["precision"] = name_of(session.precision);
  return content;
}

}  // namespace

experiment::Stage generator_stage() {
  experiment::Stage stage{
      "generator", keys_without_encoder(), {"data", "classifier"}, train_generator, training_content};
  stage.expensive = true;
  stage.ready = check_training;
  return stage;
}

experiment::Stage encoder_stage() {
  experiment::Stage stage{
      "encoder", {"generator", "run.seed"}, {"data", "generator"}, train_encoder, precision_content};
  stage.expensive = true;
  stage.ready = check_encoder;
  stage.asked = trains_inverse;
  return stage;
}

}  // namespace whence::kinds
