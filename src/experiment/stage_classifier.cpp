#include "experiment/session.h"
#include "experiment/stages.h"
#include "whence/core/files.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/guessing.h"

namespace whence::experiment {
namespace {

/// Where the set has such images.
bool trains_on_validation(Session& session) {
  return session.get<ClassifierOptions>().on_validation && session.data().has_validation();
}

/// Of the classifier; its seconds.
double train(Session& session, nlohmann::json& metrics) {
  models::ClassifierTraining options = session.get<ClassifierOptions>().training;
  options.seed = session.seed();
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint("classifier");
  options.checkpoint_seconds = session.get<RunOptions>().checkpoint_seconds;
  nn::Network network = session.classifier_network();
  const data::Splits& splits = session.data();
  const data::Dataset images =
      trains_on_validation(session) ? data::join(splits.train, splits.validation) : splits.train;
  metrics["train_images"] = images.size();
  const double seconds = models::train_classifier(network, images, options, session.progress).seconds;
  metrics["train_seconds"] = seconds;
  session.save(network, "classifier");
  return seconds;
}

}  // namespace

nlohmann::json classifier_content(Session& session) {
  const std::string& file = session.get<ClassifierOptions>().file;
  if (!file.empty()) return {{"file", fingerprint_of(read_file(file))}};
  nlohmann::json content = {{"precision", name_of(session.precision)}};
  if (trains_on_validation(session)) content["validation"] = content_of(session.data().validation);
  return content;
}

StageResult classifier_stage(Session& session) {
  StageResult result;
  if (session.get<ClassifierOptions>().file.empty()) {
    result.trained_seconds = train(session, result.metrics);
    result.products = {"classifier.safetensors"};
  }
  const auto classifier = session.classifier(session.judging_precision());
  const data::Dataset& test = session.data().test;
  const double accuracy = models::accuracy(*classifier, test);
  result.metrics["test_accuracy"] = accuracy;
  const std::string guessing = models::guessing_note(*classifier, test, accuracy);
  if (!guessing.empty()) result.metrics["guessing"] = guessing;
  result.summary = fmt::format("test accuracy {:.2f} %", 100 * accuracy);
  return result;
}

}  // namespace whence::experiment
