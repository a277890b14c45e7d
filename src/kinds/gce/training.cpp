// Stage "explanation": the training of the generator.
#include "kinds/gce/gce.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/interchange/safetensors.h"

namespace whence::kinds {
namespace {

constexpr const char* kWeights[] = {"encoder.safetensors", "decoder.safetensors"};

/// K + L as the start's encoder has them; -1 when it has no such layer.
std::int64_t latents_of(const std::filesystem::path& file, const nn::Network& encoder) {
  const std::string head = encoder.layers()[encoder.outputs().front()].name + ".weight";
  for (const nn::NamedTensor& entry : nn::load_safetensors(file).tensors)
    if (entry.name == head) return entry.tensor.size(0);
  return -1;
}

/// Errors: generator.start names a folder without weights, or with another number of latents.
void check_start(Session& session) {
  const std::filesystem::path folder = session.get<Start>().folder;
  if (folder.empty()) return;
  for (const char* name : kWeights) {
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

nlohmann::json training_content(Session& session) {
  nlohmann::json made_of = {{"precision", name_of(session.precision)}};
  const std::filesystem::path start = session.get<Start>().folder;
  if (start.empty()) return made_of;
  for (const char* name : kWeights) {
    if (std::filesystem::exists(start / name))
      made_of["start"][name] = experiment::fingerprint_of(read_file(start / name));
  }
  return made_of;
}

gce::Training options_of(Session& session) {
  gce::Training options = session.get<gce::Training>();
  if (!explains(session.recipe().values)) {
    options.causal = 0;
    options.noncausal = session.latents();
    options.lambda = 1;
    options.answer_weight = options.manifold_weight = 0;
  }
  options.seed = session.seed();
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint("explanation");
  options.checkpoint_seconds = session.get<experiment::RunOptions>().checkpoint_seconds;
  options.warm_start = !session.get<Start>().folder.empty();
  return options;
}

experiment::StageResult train_generator(Session& session) {
  const gce::Training options = options_of(session);
  nn::Network encoder = session.encoder_network();
  nn::Network decoder = session.decoder_network();
  if (options.warm_start) {
    check_start(session);
    const std::filesystem::path folder = session.get<Start>().folder;
    nn::load_network(folder / kWeights[0], encoder);
    nn::load_network(folder / kWeights[1], decoder);
  }
  const auto classifier = session.classifier(session.precision);
  const nn::LoopSummary summary =
      gce::train(encoder, decoder, *classifier, session.data().train, options, session.progress);
  session.save(encoder, "encoder");
  session.save(decoder, "decoder");
  return {{{"train_seconds", summary.seconds},
           {"steps", summary.steps},
           {"step_seconds_median", summary.step_seconds_median}},
          {kWeights[0], kWeights[1]},
          fmt::format("{:.3f} s a step", summary.step_seconds_median),
          summary.seconds};
}

}  // namespace

experiment::Stage explanation_stage() {
  experiment::Stage stage{"explanation",
                          {"generator", "explanation", "run.seed"},
                          {"data", "classifier"},
                          train_generator,
                          training_content};
  stage.expensive = true;
  stage.ready = check_start;
  return stage;
}

}  // namespace whence::kinds
