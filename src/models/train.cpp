#include "whence/models/train.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/nn/optimizer.h"

namespace whence::models {
namespace {

std::string fingerprint(const nn::Network& network, const data::Dataset& train,
                        const ClassifierTraining& options) {
  return fmt::format("{} {} parameters, {} images, {} epochs of {}, sgd {} {} {}, seed {}, {}",
                     network.name(), network.parameter_count(), train.size(), options.epochs, options.batch,
                     options.learning_rate, options.momentum, options.decay, options.seed,
                     name_of(options.precision));
}

}  // namespace

nn::LoopSummary train_classifier(nn::Network& network, const data::Dataset& train,
                                 const ClassifierTraining& options, const ProgressCallback& progress) {
  Generator weights = make_generator(options.seed, "classifier/weights");
  nn::initialise(network, {}, weights);
  nn::Optimizer optimizer({&network}, nn::Sgd{options.momentum});
  data::Batches batches(train, std::min(options.batch, train.size()), options.seed);
  double loss_average = 0, accuracy_average = 0;
  bool first = true;

  const auto step = [&](std::int64_t index) -> nn::Readings {
    Generator dropout = make_generator(options.seed, fmt::format("classifier/dropout/{}", index));
    const data::Batch batch = batches.at(index);
    const at::Tensor logits = network.forward(batch.images, {options.precision, /*training=*/true, &dropout});
    const at::Tensor loss = at::cross_entropy_loss(logits, batch.labels);
    optimizer.zero_gradients();
    loss.backward();
    const auto epoch = static_cast<double>(index / batches.per_epoch());
    optimizer.step(options.learning_rate * std::pow(options.decay, epoch));

    const double accuracy = (logits.argmax(1) == batch.labels).to(at::kDouble).mean().item<double>();
    const double keep = first ? 0 : 0.98;
    loss_average = keep * loss_average + (1 - keep) * loss.item<double>();
    accuracy_average = keep * accuracy_average + (1 - keep) * accuracy;
    first = false;
    return {{"loss", loss_average}, {"accuracy", accuracy_average}};
  };
  const nn::LoopOptions loop{"classifier", fingerprint(network, train, options),
                             options.epochs * batches.per_epoch(), options.checkpoint,
                             options.checkpoint_seconds};
  return nn::run_training(loop, {&network}, optimizer, step, progress);
}

}  // namespace whence::models
