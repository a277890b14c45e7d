#include "experiment/stages.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/explain/flow/ablation.h"
#include "whence/interchange/safetensors.h"

namespace whence::experiment {
namespace {

constexpr std::string_view kClassifier = "classifier";
constexpr std::string_view kExplanation = "explanation";

void save(const Session& session, const nn::Network& network, const std::string& file) {
  nn::save_safetensors(session.folder() / file, network.state(), {{"network", network.name()}});
}

/// K + L as the start's encoder has them; -1 when it has no such layer.
std::int64_t latents_of(const std::filesystem::path& file, const nn::Network& encoder) {
  const std::string head = encoder.layers()[encoder.outputs().front()].name + ".weight";
  for (const nn::NamedTensor& entry : nn::load_safetensors(file).tensors)
    if (entry.name == head) return entry.tensor.size(0);
  return -1;
}

void load_start(Session& session, nn::Network& encoder, nn::Network& decoder) {
  check_start(session);
  const std::filesystem::path folder = session.recipe().start;
  nn::load_network(folder / "encoder.safetensors", encoder);
  nn::load_network(folder / "decoder.safetensors", decoder);
}

/// Where the set has such images.
bool trains_on_validation(Session& session) {
  return session.recipe().classifier.on_validation && session.data().has_validation();
}

}  // namespace

void check_start(Session& session) {
  const std::filesystem::path folder = session.recipe().start;
  if (folder.empty()) return;
  for (const char* name : {"encoder.safetensors", "decoder.safetensors"}) {
    if (!std::filesystem::exists(folder / name))
      fail("generator.start is {}, which has no {}; give the folder of a finished training", folder.string(),
           name);
  }
  const std::int64_t latents = latents_of(folder / "encoder.safetensors", session.encoder_network());
  if (latents >= 0 && latents != session.latents())
    fail(
        "the generator of {} has {} latents, but explanation.causal + explanation.noncausal is {}; they must "
        "be the "
        "same to start from it",
        folder.string(), latents, session.latents());
}

nlohmann::json classifier_content(Session& session) {
  const std::string& file = session.recipe().classifier.file;
  if (!file.empty()) return {{"file", fingerprint_of(read_file(file))}};
  nlohmann::json content = {{"precision", name_of(session.precision)}};
  if (trains_on_validation(session)) content["validation"] = content_of(session.data().validation);
  return content;
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
    const data::Splits& splits = session.data();
    const data::Dataset images =
        trains_on_validation(session) ? data::join(splits.train, splits.validation) : splits.train;
    metrics["train_images"] = images.size();
    result.trained_seconds = models::train_classifier(network, images, options, session.progress).seconds;
    metrics["train_seconds"] = result.trained_seconds;
    save(session, network, "classifier.safetensors");
    result.products = {"classifier.safetensors"};
  }
  const auto classifier = session.classifier(session.judging_precision());
  const double accuracy = flow::accuracy(*classifier, session.data().test);
  metrics["test_accuracy"] = accuracy;
  result.metrics = {{"classifier", metrics}};
  result.summary = fmt::format("test accuracy {:.2f} %", 100 * accuracy);
  return result;
}

nlohmann::json explanation_content(Session& session) {
  nlohmann::json content = {{"precision", name_of(session.precision)}};
  const std::filesystem::path start = session.recipe().start;
  if (start.empty()) return content;
  for (const char* name : {"encoder.safetensors", "decoder.safetensors"}) {
    if (std::filesystem::exists(start / name))
      content["start"][name] = fingerprint_of(read_file(start / name));
  }
  return content;
}

StageResult explanation_stage(Session& session) {
  gce::Training options = session.recipe().explanation;
  if (!session.explains()) {
    options.causal = 0;
    options.noncausal = session.latents();
    options.lambda = 1;
    options.answer_weight = options.manifold_weight = 0;
  }
  options.seed = session.seed();
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint(kExplanation);
  options.checkpoint_seconds = session.recipe().run.checkpoint_seconds;
  nn::Network encoder = session.encoder_network();
  nn::Network decoder = session.decoder_network();
  options.warm_start = !session.recipe().start.empty();
  if (options.warm_start) load_start(session, encoder, decoder);
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
          fmt::format("{:.3f} s a step", summary.step_seconds_median),
          summary.seconds};
}

}  // namespace whence::experiment
