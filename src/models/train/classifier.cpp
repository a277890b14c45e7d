#include "whence/models/train/classifier.h"

#include <torch/csrc/autograd/autograd.h>

#include <numeric>

#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/nn/training/optimizer.h"
#include "whence/nn/training/schedule.h"
#include "whence/platform/exchange.h"
#include "whence/platform/interrupt.h"
#include "whence/platform/parts.h"

namespace whence::models {
namespace {

/// Off by default; written only when on.
std::string extras_of(const ClassifierTraining& options) {
  const std::int64_t cutout = options.augmentation.cutout;
  return (cutout == 0 ? "" : fmt::format(", cutout {}", cutout)) +
         (options.label_smoothing == 0 ? "" : fmt::format(", smoothing {}", options.label_smoothing));
}

std::string fingerprint(const nn::Network& network, const data::Dataset& train,
                        const ClassifierTraining& options) {
  return fmt::format(
      "{} {} parameters, {} images, {} epochs of {}, optimizer {} {} {} {}, schedule {} {} {}, flip {}, crop "
      "{}{}, seed {}, {}",
      network.name(), network.parameter_count(), train.size(), options.epochs, options.batch,
      static_cast<int>(options.optimizer), options.learning_rate, options.momentum, options.weight_decay,
      static_cast<int>(options.schedule), options.decay, options.warmup, options.augmentation.flip,
      options.augmentation.crop, extras_of(options), options.seed, name_of(options.precision));
}

std::variant<nn::Sgd, nn::Adam> rule_of(const ClassifierTraining& options) {
  if (options.optimizer == ClassifierOptimizer::adam) return nn::Adam{.weight_decay = options.weight_decay};
  return nn::Sgd{options.momentum, options.weight_decay};
}

double learning_rate(std::int64_t step, std::int64_t per_epoch, const ClassifierTraining& options) {
  if (options.schedule == ClassifierSchedule::one_cycle) {
    return nn::one_cycle(step, options.epochs * per_epoch, options.learning_rate, options.warmup);
  }
  const std::int64_t epoch = step / per_epoch;
  return options.learning_rate * std::pow(options.decay, static_cast<double>(epoch));
}

constexpr std::int64_t kIgnoreNone = -100;  ///< no label is left out

at::Tensor sum_of(const std::vector<at::Tensor>& parts) {
  at::Tensor sum = parts.front().to(at::kDouble);
  for (std::size_t i = 1; i < parts.size(); ++i) sum = sum + parts[i].to(at::kDouble);
  return sum;
}

/// Gives the optimizer the gradients of the batch's mean cross-entropy; returns that and the accuracy.
nn::Readings add_gradients(const nn::Network& network, const data::Batch& batch, std::int64_t step,
                           const ClassifierTraining& options, nn::Optimizer& optimizer) {
  const std::int64_t rows = batch.images.size(0), parts = parts_of(batch.images);
  Exchange exchange(parts);
  std::vector<at::Tensor> losses(static_cast<std::size_t>(parts)), correct(losses);
  std::vector<std::vector<at::Tensor>> gradients(losses.size());
  run_parts(exchange, [&](std::int64_t part) {
    const auto [first, count] = part_of(rows, part, parts);
    const at::Tensor labels = batch.labels.narrow(0, first, count);
    Generator dropout = make_generator(options.seed, fmt::format("classifier/dropout/{}/{}", step, part));
    const at::Tensor logits =
        network.forward(batch.images.narrow(0, first, count),
                        {options.precision, /*training=*/true, &dropout, {&exchange, part}});
    const at::Tensor loss =
        at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum, kIgnoreNone, options.label_smoothing) /
        static_cast<double>(rows);
    const auto i = static_cast<std::size_t>(part);
    gradients[i] = torch::autograd::grad({loss}, optimizer.parameters());
    losses[i] = loss.detach();
    correct[i] = (logits.detach().argmax(1) == labels).sum();
  });
  optimizer.set_gradients(gradients);
  return {{"loss", sum_of(losses)}, {"accuracy", sum_of(correct) / static_cast<double>(rows)}};
}

}  // namespace

nn::LoopSummary train_classifier(nn::Network& network, const data::Dataset& train,
                                 const ClassifierTraining& options, const ProgressCallback& progress) {
  Generator weights = make_generator(options.seed, "classifier/weights");
  nn::initialise(network, {}, weights);
  nn::Optimizer optimizer({&network}, rule_of(options));
  data::Batches batches(train, std::min(options.batch, train.size()), options.seed, /*drop_last=*/true,
                        network.device());
  nn::SmoothedReadings smoothed;

  const auto step = [&](std::int64_t index) {
    data::Batch batch = batches.at(index);
    if (options.augmentation.changes()) {
      Generator changes = make_generator(options.seed, fmt::format("classifier/augmentation/{}", index));
      batch.images = augment(batch.images, options.augmentation, changes);
    }
    const nn::Readings readings = add_gradients(network, batch, index, options, optimizer);
    optimizer.step(learning_rate(index, batches.per_epoch(), options));
    return smoothed.update(readings);
  };
  const nn::LoopOptions loop{"classifier", fingerprint(network, train, options),
                             options.epochs * batches.per_epoch(), options.checkpoint,
                             options.checkpoint_seconds};
  return nn::run_training(loop, {&network}, {&optimizer}, step, progress);
}

double accuracy(const Classifier& classifier, const data::Dataset& dataset) {
  constexpr std::int64_t at_once = 500;
  if (dataset.size() == 0) fail("there are no images to measure on");
  if (classifier.classes() != dataset.classes())
    fail("the classifier has {} classes and the data set {}; select the classes it was trained on",
         classifier.classes(), dataset.classes());
  const at::NoGradGuard no_grad;
  std::int64_t right = 0;
  for (std::int64_t first = 0; first < dataset.size(); first += at_once) {
    throw_if_interrupted();
    const std::int64_t count = std::min(at_once, dataset.size() - first);
    const at::Tensor logits = classifier.logits(data::to_float(dataset, first, count, classifier.device()));
    const at::Tensor probabilities =
        at::softmax(logits.to(at::promote_types(logits.scalar_type(), at::kFloat)), 1);
    if (probabilities.isnan().any().item<bool>())
      fail("the classifier returned NaN or infinite outputs for images; check its weights");
    const at::Tensor labels = dataset.labels.narrow(0, first, count);
    right += probabilities.argmax(1).cpu().eq(labels).sum().item<std::int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(dataset.size());
}

}  // namespace whence::models
