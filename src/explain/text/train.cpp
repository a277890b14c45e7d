#include "whence/explain/text/train.h"

#include "explain/text/aggressive.h"
#include "explain/text/objective.h"
#include "models/text/gradients.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/text/batches.h"
#include "whence/explain/text/fluency.h"
#include "whence/nn/training/schedule.h"

namespace whence::text {
namespace {

constexpr double kLargestGradient = 5;

/// Texts with a sure answer: the largest probability is above 1 / M by `sure` of what it can be (1 - 1/M is 1).
at::Tensor sure_rows(const at::Tensor& answers, double sure) {
  const double even = 1 / static_cast<double>(answers.size(1));
  return answers.amax(1).gt(even + 2 * sure * (1 - even)).nonzero().squeeze(1);
}

/// Adds `more`, which may be empty, to `terms`.
void add(StepTerms& terms, const StepTerms& more, bool read = true) {
  if (!more.loss.defined()) return;
  terms.loss = terms.loss.defined() ? terms.loss + more.loss : more.loss;
  if (read) terms.readings.insert(terms.readings.end(), more.readings.begin(), more.readings.end());
}

std::string fingerprint(const models::SentenceVae& vae, const Corpus& corpus, const Training& o,
                        std::int64_t count, double typical_nats) {
  const models::SentenceVaeShape& s = vae.shape();
  // The nats of real texts tell one language model from another.
  std::string extras =
      o.fluency_weight > 0 ? fmt::format(", fluency {} above {}", o.fluency_weight, typical_nats) : "";
  if (o.repeat_weight > 0) extras += fmt::format(", repeats {}", o.repeat_weight);
  if (o.aggressive.iterations > 0)
    extras += fmt::format(", encoder first {} {} {}", o.aggressive.iterations, o.aggressive.window,
                          o.aggressive.check_every);
  return fmt::format(
      "sentence vae {} {} {} {} {} {} {} {} {}, {} parameters, {} texts, {} steps of {}, {} {} {} {} {} {}, "
      "weights {} {} {} {} {} {} {} {}, {} {} {} {} {}, seed {}{}",
      static_cast<int>(s.architecture), s.words, s.classes, s.causal, s.noncausal, s.embedding,
      s.encoder_hidden, s.decoder_hidden, s.guide, count, corpus.numbers.size(0), o.steps, o.batch,
      o.causal_share, o.sure, o.learning_rate, o.word_dropout, o.encoder_dropout, o.sampled_words,
      o.kl_weight, o.kl_warmup, o.bag_weight, o.pull_weight, o.adversary_weight, o.lambda, o.cycle_weight,
      o.keep_weight, o.causal_every, o.rollouts, o.decoding.candidates, o.decoding.noise, o.decoding.longest,
      o.seed, extras);
}

/// The optimizers of a training: of everything or, where the encoder may go first, of it and of the rest.
class Descent {
 public:
  Descent(models::SentenceVae& vae, bool encoder_first)
      : first_(encoder_first ? vae.encoder_parameters() : vae.parameters(), nn::Adam{}) {
    if (encoder_first) rest_.emplace(vae.other_parameters(), nn::Adam{});
  }

  nn::Optimizer& encoder() { return first_; }
  std::vector<nn::Optimizer*> all() {
    return rest_ ? std::vector<nn::Optimizer*>{&first_, &*rest_} : std::vector<nn::Optimizer*>{&first_};
  }
  /// `encoder`: it moves, too.
  void step(const at::Tensor& loss, double learning_rate, bool encoder) {
    models::descend(encoder ? all() : std::vector<nn::Optimizer*>{&*rest_}, loss, learning_rate,
                    kLargestGradient);
  }

 private:
  nn::Optimizer first_;
  std::optional<nn::Optimizer> rest_;
};

at::Tensor reading(double value) {
  return at::scalar_tensor(value, at::TensorOptions(at::kCPU).dtype(at::kDouble));
}

}  // namespace

nn::LoopSummary train(models::SentenceVae& vae, const models::TextClassifier& classifier,
                      const at::Tensor& translation, const Corpus& corpus, const Training& options,
                      const ProgressCallback& progress) {
  const auto first_causal =
      static_cast<std::int64_t>((1 - options.causal_share) * static_cast<double>(options.steps));
  const at::Tensor sure = sure_rows(corpus.answers, options.sure);
  if (sure.size(0) == 0 && options.causal_share > 0)
    fail(
        "the classifier is sure of no text, so there is no answer to explain; train it longer, or take "
        "another one");
  if (options.fluency_weight > 0 && options.language == nullptr)
    fail("the fluency term needs a language model, but there is none");
  const double typical_nats =
      options.fluency_weight > 0
          ? nats_per_word(*options.language, corpus.numbers).quantile(options.fluency_level).item<double>()
          : 0;
  data::TextBatches all(corpus.numbers, options.batch, options.seed);
  std::optional<data::TextBatches> sure_only;
  if (sure.size(0) > 0)
    sure_only.emplace(corpus.numbers.index_select(0, sure), options.batch, options.seed + 1);
  const Objective objective(vae, classifier, translation, corpus.answers.mean(0, true), options,
                            typical_nats);
  Descent descent(vae, options.aggressive.iterations > 0);
  std::optional<EncoderFirst> encoder_first;
  if (options.aggressive.iterations > 0)
    encoder_first.emplace(vae, objective, descent.encoder(), corpus, options);
  nn::SmoothedReadings smoothed, smoothed_causal, smoothed_encoder;
  nn::Readings causal_readings;
  const auto step = [&](std::int64_t index) {
    Generator generator = make_generator(options.seed, fmt::format("text/step/{}", index));
    const bool second = index >= first_causal;
    data::TextBatch batch = second ? sure_only->at(index - first_causal) : all.at(index);
    if (second) batch.rows = sure.index_select(0, batch.rows);
    const double rise = options.kl_warmup * static_cast<double>(options.steps);
    const double kl_weight =
        options.kl_weight * std::min(1.0, (static_cast<double>(index) + 1) / std::max(1.0, rise));
    const double learning_rate = nn::one_cycle(index, options.steps, options.learning_rate, 0.1);
    const at::AutoGradMode gradients(true);
    const bool aggressive = encoder_first && !second && encoder_first->is_on(index);
    const std::int64_t encoder_steps =
        aggressive ? encoder_first->converge(index, kl_weight, learning_rate, kLargestGradient) : 0;
    Objective::Batch prepared =
        objective.prepare(batch.numbers, corpus.answers.index_select(0, batch.rows), generator);
    StepTerms terms = objective.texts(prepared, kl_weight, generator);
    if (second && (index - first_causal) % options.causal_every == 0) {
      StepTerms causal;
      if (options.lambda + options.cycle_weight + options.fluency_weight + options.repeat_weight > 0)
        causal = objective.rollouts(prepared, generator);
      if (options.keep_weight > 0) add(causal, objective.kept_words(prepared, generator));
      add(terms, causal, /*read=*/false);
      causal_readings = smoothed_causal.update(causal.readings);
    }
    descent.step(terms.loss, learning_rate, /*encoder=*/!aggressive);
    nn::Readings readings = smoothed.update(terms.readings);
    if (encoder_first) {
      const nn::Readings now =
          smoothed_encoder.update({{"encoder steps", reading(static_cast<double>(encoder_steps))}});
      readings.insert(readings.end(), now.begin(), now.end());
      readings.emplace_back("I(x; z)", reading(encoder_first->information()));
    }
    readings.insert(readings.end(), causal_readings.begin(), causal_readings.end());
    return readings;
  };
  return nn::run_training(
      {"explanation", fingerprint(vae, corpus, options, vae.parameters().count(), typical_nats),
       options.steps, options.checkpoint, options.checkpoint_seconds,
       encoder_first ? encoder_first->state() : nn::NamedTensors{}},
      vae.parameters(), descent.all(), step, progress);
}

}  // namespace whence::text
