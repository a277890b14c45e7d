#include "whence/models/text/language_model.h"

#include "models/text/gradients.h"
#include "models/text/sampled_softmax.h"
#include "whence/core/random.h"
#include "whence/data/text/batches.h"
#include "whence/nn/training/schedule.h"
#include "whence/platform/interrupt.h"

namespace whence::models {

LanguageModel::LanguageModel(const LanguageModelShape& shape, at::Generator& generator)
    : shape_(shape),
      parameters_("language_model"),
      embedding_(parameters_.add("embedding.weight",
                                 at::normal(0.0, 0.1, {shape.words, shape.embedding}, generator))),
      bias_(parameters_.add("bias", at::zeros({shape.words}, embedding_.options()))),
      recurrent_(parameters_, "recurrent", Cell::lstm, shape.embedding, shape.hidden, false, generator),
      query_(parameters_, "query", shape.hidden, shape.embedding, generator) {}

at::Tensor LanguageModel::queries(const at::Tensor& numbers, double dropout, at::Generator* generator) const {
  const auto drop = [&](const at::Tensor& x) {
    if (generator == nullptr || dropout == 0) return x;
    return x * (at::rand(x.sizes(), *generator, x.options().requires_grad(false))
                    .ge(dropout)
                    .to(x.scalar_type()) /
                (1 - dropout));
  };
  return query_(drop(recurrent_.run(drop(at::embedding(embedding_, with_begin(numbers)))).outputs));
}

nn::LoopSummary train_language_model(LanguageModel& model, const at::Tensor& numbers,
                                     const LanguageModelTraining& options, const ProgressCallback& progress) {
  constexpr double largest_gradient = 1;
  data::TextBatches batches(numbers, options.batch, options.seed);
  const std::int64_t steps = options.epochs * batches.per_epoch();
  nn::Optimizer optimizer(model.parameters(), nn::Adam{});
  nn::SmoothedReadings smoothed;
  const auto step = [&](std::int64_t index) {
    const data::TextBatch batch = batches.at(index);
    Generator generator = make_generator(options.seed, fmt::format("language-model/{}", index));
    const at::Tensor targets = with_end(batch.numbers);
    const Candidates candidates =
        draw_candidates(targets, model.shape().words, options.sampled_words, generator);
    const at::AutoGradMode gradients(true);
    const at::Tensor loss = sampled_losses(model.queries(batch.numbers, options.dropout, &generator), targets,
                                           model.embedding(), model.bias(), candidates)
                                .mean();
    descend(optimizer, loss, nn::one_cycle(index, steps, options.learning_rate, 0.2), largest_gradient);
    return smoothed.update({{"nats a word", loss.detach()}});
  };
  const std::string fingerprint = fmt::format(
      "language model {} {} {}, {} texts, {} epochs of {}, {} words, rate {}, dropout {}, seed {}",
      model.shape().words, model.shape().embedding, model.shape().hidden, numbers.size(0), options.epochs,
      options.batch, options.sampled_words, options.learning_rate, options.dropout, options.seed);
  return nn::run_training(
      {"language model", fingerprint, steps, options.checkpoint, options.checkpoint_seconds},
      model.parameters(), {&optimizer}, step, progress);
}

at::Tensor negative_log_likelihood(const LanguageModel& model, const at::Tensor& numbers) {
  constexpr std::int64_t at_once = 200;
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : numbers.split(at_once)) {
    throw_if_interrupted();
    const at::Tensor targets = with_end(part);
    const at::Tensor logits = at::linear(model.queries(part), model.embedding(), model.bias());
    const at::Tensor each = -at::log_softmax(logits, 2).gather(2, targets.unsqueeze(2)).squeeze(2);
    const at::Tensor counted =
        at::arange(targets.size(1), part.options()).unsqueeze(0).le(data::lengths_of(part).unsqueeze(1));
    parts.push_back((each * counted).sum(1));
  }
  return at::cat(parts);
}

double perplexity(const LanguageModel& model, const at::Tensor& numbers) {
  const double nats = negative_log_likelihood(model, numbers).to(at::kDouble).sum().item<double>();
  const auto words = static_cast<double>((data::lengths_of(numbers) + 1).sum().item<std::int64_t>());
  return std::exp(nats / words);
}

at::Tensor with_begin(const at::Tensor& numbers) {
  return at::constant_pad_nd(numbers, {1, 0}, data::Vocabulary::kEnd);
}
at::Tensor with_end(const at::Tensor& numbers) {
  return at::constant_pad_nd(numbers, {0, 1}, data::Vocabulary::kEnd);
}

}  // namespace whence::models
