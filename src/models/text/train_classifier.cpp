#include <ATen/core/grad_mode.h>

#include "models/text/gradients.h"
#include "whence/core/random.h"
#include "whence/data/text/batches.h"
#include "whence/models/text/classifier.h"
#include "whence/nn/training/schedule.h"

namespace whence::models {
namespace {

double learning_rate(std::int64_t step, std::int64_t per_epoch, const TextClassifierTraining& options) {
  if (options.schedule == ClassifierSchedule::one_cycle)
    return nn::one_cycle(step, options.epochs * per_epoch, options.learning_rate, 0.2);
  return options.learning_rate * std::pow(options.decay, static_cast<double>(step / per_epoch));
}

std::string fingerprint(const TextClassifierNetwork& network, std::int64_t count,
                        const data::Phrases& phrases, const TextClassifierTraining& options) {
  const TextClassifierShape& shape = network.shape();
  const std::string decay =
      options.schedule == ClassifierSchedule::decay ? fmt::format(", decay {}", options.decay) : "";
  return fmt::format(
      "text classifier {} {} {} {}, {} parameters, {} phrases, {} epochs of {}, rate {}, dropout {} {}, seed "
      "{}{}",
      static_cast<int>(shape.architecture), shape.words, shape.embedding, shape.hidden, count, phrases.size(),
      options.epochs, options.batch, options.learning_rate, options.dropout, options.word_dropout,
      options.seed, decay);
}

}  // namespace

nn::LoopSummary train_text_classifier(TextClassifierNetwork& network, const data::Phrases& phrases,
                                      const data::Vocabulary& vocabulary,
                                      const TextClassifierTraining& options,
                                      const ProgressCallback& progress) {
  constexpr double largest_gradient = 1;
  data::TextBatches batches(to_numbers(vocabulary, phrases.words), options.batch, options.seed);
  const std::int64_t steps = options.epochs * batches.per_epoch();
  nn::Optimizer optimizer(network.parameters(), nn::Adam{});
  nn::SmoothedReadings smoothed;
  const auto step = [&](std::int64_t index) {
    const data::TextBatch batch = batches.at(index);
    Generator generator = make_generator(options.seed, fmt::format("text-classifier/{}", index));
    const at::Tensor unknown = at::rand(batch.numbers.sizes(), generator).lt(options.word_dropout);
    const at::Tensor numbers = batch.numbers.masked_fill(unknown, data::Vocabulary::kUnknown);
    const at::Tensor lengths = at::full({numbers.size(0)}, numbers.size(1), at::kLong);
    const at::AutoGradMode gradients(true);
    const at::Tensor logits =
        network.logits_of(at::embedding(network.embedding(), numbers), lengths, options.dropout, &generator);
    const at::Tensor target = phrases.targets.index_select(0, batch.rows);
    const at::Tensor loss = -(target * at::log_softmax(logits, 1)).sum(1).mean();
    descend(optimizer, loss, learning_rate(index, batches.per_epoch(), options), largest_gradient);
    return smoothed.update({{"loss", loss.detach()}});
  };
  return nn::run_training(
      {"text classifier", fingerprint(network, network.parameters().count(), phrases, options), steps,
       options.checkpoint, options.checkpoint_seconds},
      network.parameters(), {&optimizer}, step, progress);
}

}  // namespace whence::models
