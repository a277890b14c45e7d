// Stage "explanation": the training of the generator.
#include "kinds/gce/gce.h"

namespace whence::kinds {
namespace {

nlohmann::json training_content(Session& session) {
  nlohmann::json made_of = start_content(session);
  made_of["precision"] = name_of(session.precision);
  return made_of;
}

gce::Training options_of(Session& session) {
  gce::Training options = session.get<gce::Training>();
  const auto& generator = session.get<experiment::GeneratorOptions>();
  options.initial = generator.initial;
  options.seed = session.seed();
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint("explanation");
  options.checkpoint_seconds = session.get<experiment::RunOptions>().checkpoint_seconds;
  return options;
}

experiment::StageResult train_generator(Session& session) {
  gce::Training options = options_of(session);
  nn::Network encoder = session.encoder_network();
  nn::Network decoder = session.decoder_network();
  options.warm_start = load_start(session, encoder, decoder, options.kl_weight);
  const auto classifier = session.classifier(session.precision);
  const nn::LoopSummary summary =
      gce::train(encoder, decoder, *classifier, session.data().train, options, session.progress);
  session.save(encoder, "encoder");
  session.save(decoder, "decoder");
  return {{{"train_seconds", summary.seconds},
           {"steps", summary.steps},
           {"step_seconds_median", summary.step_seconds_median}},
          {"encoder.safetensors", "decoder.safetensors"},
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
