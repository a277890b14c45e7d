// Stage "independent-classifier".
#include <numeric>

#include "experiment/session.h"
#include "experiment/stages.h"
#include "kinds/morphing/morphing.h"
#include "whence/interchange/safetensors.h"

namespace whence::kinds {
namespace {

using experiment::Session;

/// Added to the run's seed: other weights, other batches.
constexpr std::uint64_t kOtherSeed = 1'000'003;

nn::Network untrained(Session& session) {
  models::ClassifierRequest request;
  request.image = session.task().image;
  request.classes = std::ssize(session.task().class_names);
  nn::Network network =
      models::classifier_architectures()[session.get<MorphingOptions>().independent].make(request);
  network.to(session.device());
  return network;
}

experiment::StageResult train(Session& session) {
  const MorphingOptions& own = session.get<MorphingOptions>();
  models::ClassifierTraining options = session.get<experiment::ClassifierOptions>().training;
  if (own.independent_epochs > 0) options.epochs = own.independent_epochs;
  options.seed = session.seed() + kOtherSeed;
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint("independent-classifier");
  options.checkpoint_seconds = session.get<experiment::RunOptions>().checkpoint_seconds;
  nn::Network network = untrained(session);
  const ProgressCallback progress = [&](const Progress& reading) {
    Progress named = reading;
    named.stage = "independent-classifier";
    session.progress(named);
  };
  const double seconds = models::train_classifier(network, session.data().train, options, progress).seconds;
  session.save(network, "independent-classifier");
  const double accuracy = models::accuracy(*models::as_classifier(network), session.data().test);
  return {{{"independent", {{"train_seconds", seconds}, {"test_accuracy", accuracy}}}},
          {kIndependentWeights},
          fmt::format("test accuracy {:.2f} %", 100 * accuracy),
          seconds};
}

nlohmann::json content(Session& session) { return {{"precision", name_of(session.precision)}}; }

}  // namespace

experiment::Stage independent_stage() {
  experiment::Stage stage{"independent-classifier",
                          {"classifier", "morphing.independent", "morphing.independent_epochs", "run.seed"},
                          {"data"},
                          train,
                          content};
  stage.expensive = true;
  return stage;
}

std::unique_ptr<models::Classifier> independent_classifier(experiment::Session& session) {
  const std::filesystem::path file = session.folder() / kIndependentWeights;
  if (!std::filesystem::exists(file)) return nullptr;
  nn::Network network = untrained(session);
  nn::load_network(file, network);
  return models::as_classifier(network, session.judging_precision());
}

}  // namespace whence::kinds
