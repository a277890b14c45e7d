#include "kinds/independent/independent.h"

#include "experiment/recipe.h"
#include "experiment/stages.h"
#include "kinds/generator/generator.h"
#include "kinds/morphing/morphing.h"
#include "kinds/translation/translation.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/architectures.h"
#include "whence/models/train/classifier.h"

namespace whence::kinds {
namespace {

using experiment::Session;

constexpr const char* kWeights = "independent-classifier.safetensors";
/// Added to the run's seed: other weights, other batches.
constexpr std::uint64_t kOtherSeed = 1'000'003;

bool is_asked(const config::Values& values) {
  return values.get<MorphingOptions>().images > 0 || keeps_answers(values) || translates(values);
}

nn::Network untrained(Session& session) {
  const IndependentOptions& own = session.get<IndependentOptions>();
  models::ClassifierRequest request;
  request.image = session.task().image;
  request.classes = std::ssize(session.task().class_names);
  request.width = own.width;
  nn::Network network = models::classifier_architectures()[own.architecture].make(request);
  network.to(session.device());
  return network;
}

experiment::StageResult train(Session& session) {
  const IndependentOptions& own = session.get<IndependentOptions>();
  models::ClassifierTraining options = session.get<experiment::ClassifierOptions>().training;
  if (own.epochs > 0) options.epochs = own.epochs;
  options.seed = session.seed() + kOtherSeed;
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint(kIndependentStage);
  options.checkpoint_seconds = session.get<experiment::RunOptions>().checkpoint_seconds;
  nn::Network network = untrained(session);
  const ProgressCallback progress = [&](const Progress& reading) {
    Progress named = reading;
    named.stage = kIndependentStage;
    session.progress(named);
  };
  const double seconds = models::train_classifier(network, session.data().train, options, progress).seconds;
  session.save(network, std::string(kIndependentStage));
  const double accuracy = models::accuracy(*models::as_classifier(network), session.data().test);
  return {{{"train_seconds", seconds}, {"test_accuracy", accuracy}},
          {kWeights},
          fmt::format("test accuracy {:.2f} %", 100 * accuracy),
          seconds};
}

nlohmann::json content(Session& session) { return {{"precision", name_of(session.precision)}}; }

config::Section independent_section() {
  using namespace config;
  return {
      "independent",
      "The classifier that judges whether a change is one of the class. It is trained as the explained one, "
      "with another seed.",
      {{"architecture",
        choice(at(&IndependentOptions::architecture),
               experiment::names_of(models::classifier_architectures())),
        "", "Its architecture; another one than the explained classifier's is the harder judge."},
       {"width", Integer{at(&IndependentOptions::width), 0, 1024}, "channels",
        "Channels of its first convolution; 0: as published."},
       {"epochs", Integer{at(&IndependentOptions::epochs), 0, 100'000}, "",
        "Epochs of its training; 0: as many as the explained one's."}}};
}

}  // namespace

experiment::Kind independent_kind() {
  experiment::Kind kind{"independent",
                        "A second classifier of the same task, which judges what others change.",
                        {independent_section()},
                        is_asked};
  experiment::Stage stage{
      kIndependentStage, {"classifier", "independent", "run.seed"}, {"data"}, train, content};
  stage.expensive = true;
  kind.stages = {stage};
  kind.metrics.push_back(
      {"independent_accuracy", "accuracy of the independent classifier", "%", 2, experiment::Better::higher,
       "Accuracy of the classifier that judges, on test images.", "independent.test_accuracy"});
  return kind;
}

std::unique_ptr<models::Classifier> independent_classifier(experiment::Session& session) {
  const std::filesystem::path file = session.folder() / kWeights;
  if (!std::filesystem::exists(file)) return nullptr;
  nn::Network network = untrained(session);
  nn::load_network(file, network);
  return models::as_classifier(network, session.judging_precision());
}

}  // namespace whence::kinds
