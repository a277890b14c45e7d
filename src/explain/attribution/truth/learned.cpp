// Problems whose classifier is trained on images that were drawn.
#include "explain/attribution/passes.h"
#include "explain/attribution/truth/problems.h"
#include "whence/core/error.h"

namespace whence::attribution::truth {
namespace {

constexpr std::int64_t kReferences = 64;

/// Rows of the held back images that the classifier gets right, at most `count`.
at::Tensor right_rows(const models::Classifier& classifier, const data::Dataset& held_back,
                      std::int64_t count) {
  const at::Tensor answers = answers_to(classifier, data::to_float(held_back));
  const at::Tensor rows = (answers == held_back.labels).nonzero().flatten();
  return rows.narrow(0, 0, std::min(count, rows.size(0)));
}

}  // namespace

models::ClassifierTraining training_with(double learning_rate, std::int64_t epochs, std::uint64_t seed) {
  models::ClassifierTraining training;
  training.epochs = epochs;
  training.optimizer = models::ClassifierOptimizer::adam;
  training.learning_rate = learning_rate;
  training.schedule = models::ClassifierSchedule::one_cycle;
  training.seed = seed;
  return training;
}

data::Dataset dataset_of(const Drawn& drawn) {
  const at::Tensor bytes = (drawn.images.clamp(0, 1) * 255).round().to(at::kByte).unsqueeze(1);
  return {bytes, drawn.labels, {"first", "second"}};
}

TruthCase learned_case(const Drawn& drawn, const Learner& learner, const TruthRequest& request) {
  const data::Dataset all = dataset_of(drawn);
  const std::int64_t trained_on = all.size() - kHeldBack;
  const data::Dataset train = data::slice(all, 0, trained_on),
                      held_back = data::slice(all, trained_on, kHeldBack);
  nn::Network network = learner.network();
  models::train_classifier(network, train, training_with(learner.learning_rate, learner.epochs, request.seed),
                           request.progress);
  TruthCase made;
  made.classifier = models::as_classifier(network);
  made.accuracy = models::accuracy(*made.classifier, held_back);
  const at::Tensor rows = right_rows(*made.classifier, held_back, request.images);
  if (rows.size(0) == 0) fail("the classifier of a ground-truth problem got no image right");
  made.images = data::to_float(held_back, rows).contiguous();
  made.target = held_back.labels.index_select(0, rows);
  made.truth = drawn.truth.narrow(0, trained_on, kHeldBack).index_select(0, rows).unsqueeze(1).contiguous();
  made.references = data::to_float(train, 0, kReferences).contiguous();
  return made;
}

void set_parameter(nn::Network& network, std::string_view name, const at::Tensor& value) {
  const at::NoGradGuard no_grad;
  for (const nn::NamedTensor& parameter : network.parameters())
    if (parameter.name == name) {
      at::Tensor own = parameter.tensor;
      own.copy_(value.view(own.sizes()));
      return;
    }
  TORCH_CHECK(false, "no parameter ", std::string(name));
}

}  // namespace whence::attribution::truth
