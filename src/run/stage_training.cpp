#include "stages.h"
#include "whence/core/files.h"
#include "whence/explain/gce/ablation.h"
#include "whence/nn/safetensors.h"
#include "whence/run/interruptible.h"

namespace whence::run {
namespace {

constexpr std::string_view kClassifier = "classifier";
constexpr std::string_view kExplanation = "explanation";

void save(const Session& session, const nn::Network& network, const std::string& file) {
  nn::save_safetensors(session.folder() / file, network.state(), {{"network", network.name()}});
}

}  // namespace

nlohmann::json classifier_content(Session& session) {
  const std::string& file = session.recipe().classifier.file;
  if (!file.empty()) return {{"file", fingerprint_of(read_file(file))}};
  return {{"precision", name_of(session.precision)}};
}

StageResult classifier_stage(Session& session) {
  nlohmann::json metrics;
  StageResult result;
  if (session.recipe().classifier.file.empty()) {
    models::ClassifierTraining options = session.recipe().classifier.training;
    options.seed = session.seed();
    options.precision = session.precision;
    options.checkpoint = session.folder().checkpoint(kClassifier);
    options.checkpoint_seconds = session.recipe().run.checkpoint_seconds;
    nn::Network network = session.classifier_network();
    metrics["train_seconds"] =
        models::train_classifier(network, session.data().train, options, session.progress).seconds;
    save(session, network, "classifier.safetensors");
    result.products = {"classifier.safetensors"};
  }
  const auto classifier = interruptible(session.classifier(session.judging_precision()));
  const double accuracy = gce::accuracy(*classifier, session.data().test);
  metrics["test_accuracy"] = accuracy;
  result.metrics = {{"classifier", metrics}};
  result.summary = fmt::format("test accuracy {:.2f} %", 100 * accuracy);
  return result;
}

nlohmann::json explanation_content(Session& session) { return {{"precision", name_of(session.precision)}}; }

StageResult explanation_stage(Session& session) {
  gce::Training options = session.recipe().explanation;
  if (!session.explains()) {
    options.causal = 0;
    options.noncausal = session.latents();
    options.lambda = 1;
  }
  options.seed = session.seed();
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint(kExplanation);
  options.checkpoint_seconds = session.recipe().run.checkpoint_seconds;
  nn::Network encoder = session.encoder_network();
  nn::Network decoder = session.decoder_network();
  const auto classifier = session.classifier(session.precision);
  const nn::LoopSummary summary =
      gce::train(encoder, decoder, *classifier, session.data().train, options, session.progress);
  save(session, encoder, "encoder.safetensors");
  save(session, decoder, "decoder.safetensors");
  return {{{"gce",
            {{"train_seconds", summary.seconds},
             {"steps", summary.steps},
             {"step_seconds_median", summary.step_seconds_median}}}},
          {"encoder.safetensors", "decoder.safetensors"},
          fmt::format("{:.3f} s a step", summary.step_seconds_median)};
}

}  // namespace whence::run
