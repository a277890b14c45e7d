#include "kinds/visualization/judge.h"

#include "kinds/visualization/visualization.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/interchange/safetensors.h"

namespace whence::kinds {
namespace {

using experiment::Session;

constexpr const char* kJudgeFile = "judge.safetensors";
/// Images that a user's classifier is tried with.
constexpr std::int64_t kJudgeProbes = 8;

bool is_trained(const VisualizationOptions& options) { return options.judge && options.judge_file.empty(); }

/// Far from the seeds of neighbouring runs.
std::uint64_t seed_of(const Session& session) { return session.seed() ^ 0x6a75646765ULL; }

}  // namespace

experiment::StageResult judge_stage(Session& session) {
  experiment::StageResult result;
  if (!is_trained(session.get<VisualizationOptions>())) return result;
  models::ClassifierTraining options = session.get<experiment::ClassifierOptions>().training;
  options.seed = seed_of(session);
  options.precision = session.precision;
  options.checkpoint = session.folder().checkpoint("judge");
  options.checkpoint_seconds = session.get<experiment::RunOptions>().checkpoint_seconds;
  nn::Network network = session.classifier_network();
  result.trained_seconds =
      models::train_classifier(network, session.data().train, options, session.progress).seconds;
  session.save(network, "judge");
  result.products = {kJudgeFile};
  result.summary = fmt::format("trained in {:.0f} s", result.trained_seconds);
  return result;
}

std::unique_ptr<models::Classifier> judge_of(Session& session) {
  const auto& options = session.get<VisualizationOptions>();
  if (is_trained(options)) {
    nn::Network network = session.classifier_network();
    nn::load_network(session.folder() / kJudgeFile, network);
    return models::as_classifier(network);
  }
  if (options.judge_file.empty()) return nullptr;
  const data::Dataset& test = session.data().test;
  auto judge = models::load_classifier(
      options.judge_file, data::to_float(test, 0, std::min(kJudgeProbes, test.size()), session.device()));
  if (judge->classes() != test.classes())
    fail("{} has {} classes, but the data have {}; a judge tells the same classes apart, in the same order",
         options.judge_file, judge->classes(), test.classes());
  return judge;
}

}  // namespace whence::kinds
