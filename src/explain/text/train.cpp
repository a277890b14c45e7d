#include "whence/explain/text/train.h"

#include "models/text/gradients.h"
#include "models/text/sampled_softmax.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/text/batches.h"
#include "whence/explain/flow/draws.h"
#include "whence/explain/flow/estimators.h"
#include "whence/models/text/language_model.h"
#include "whence/models/train/vae_loss.h"
#include "whence/nn/training/schedule.h"

namespace whence::text {
namespace {

using data::Vocabulary;
using models::SentenceVae;

constexpr double kLargestGradient = 5;

at::Tensor without_some_words(const at::Tensor& numbers, double share, at::Generator& generator) {
  if (share == 0) return numbers;
  const at::Tensor unseen =
      at::rand(numbers.sizes(), generator, numbers.options().dtype(at::kFloat)).lt(share);
  return numbers.masked_fill(unseen.logical_and(numbers.ne(Vocabulary::kEnd)), Vocabulary::kUnknown);
}

at::Tensor drawn_code(const models::Posterior& posterior, at::Generator& generator) {
  const at::Tensor noise =
      at::randn(posterior.mean.sizes(), generator, posterior.mean.options().requires_grad(false));
  return posterior.mean + (0.5 * posterior.log_variance).exp() * noise;
}

/// E_p[- log q], mean over rows.
at::Tensor cross_entropy(const at::Tensor& p, const at::Tensor& log_q) { return -(p * log_q).sum(1).mean(); }

/// Texts with a sure answer: the largest probability is above 1 / M by `sure` of what it can be (1 - 1/M is 1).
at::Tensor sure_rows(const at::Tensor& answers, double sure) {
  const double even = 1 / static_cast<double>(answers.size(1));
  return answers.amax(1).gt(even + 2 * sure * (1 - even)).nonzero().squeeze(1);
}

struct StepTerms {
  at::Tensor loss;
  nn::Readings readings;
};

/// The terms of a step's loss.
class Objective {
 public:
  Objective(const SentenceVae& vae, const models::TextClassifier& classifier, const at::Tensor& translation,
            const at::Tensor& prior, const Training& options)
      : vae_(vae),
        classifier_(classifier),
        // In the order of the autoencoder's words: relaxed words find their rows here.
        classifier_table_(classifier.embedding().detach().index_select(0, translation)),
        prior_(prior),
        options_(options) {}

  StepTerms texts(const at::Tensor& numbers, const at::Tensor& answers, double kl_weight,
                  at::Generator& generator, at::Tensor& code) const {
    const at::Tensor seen = without_some_words(numbers, options_.encoder_dropout, generator);
    const models::Posterior posterior = vae_.encode(at::embedding(vae_.embedding(), seen));
    code = drawn_code(posterior, generator);
    const at::Tensor alpha = code.narrow(1, 0, vae_.shape().causal),
                     beta = code.narrow(1, vae_.shape().causal, vae_.shape().noncausal);
    const at::Tensor targets = models::with_end(numbers);
    const models::Candidates candidates =
        models::draw_candidates(targets, vae_.shape().words, options_.sampled_words, generator);
    const at::Tensor before =
        models::with_begin(without_some_words(numbers, options_.word_dropout, generator));
    const at::Tensor queries = vae_.queries(at::embedding(vae_.embedding(), before), vae_.guidance(code));
    const at::Tensor reconstruction =
        models::sampled_losses(queries, targets, vae_.embedding(), vae_.bias(), candidates).sum(1).mean();
    const at::Tensor kl = models::kl_divergence(posterior.mean, posterior.log_variance);
    const at::Tensor pull = cross_entropy(answers, vae_.promise(alpha));
    const at::Tensor guessing = cross_entropy(answers, at::log_softmax(vae_.guess(beta.detach(), false), 1));
    const at::Tensor confusion =
        cross_entropy(prior_.expand_as(answers), at::log_softmax(vae_.guess(beta, true), 1));
    at::Tensor loss = reconstruction + kl_weight * kl + options_.pull_weight * pull +
                      options_.adversary_weight * confusion + guessing;
    if (options_.bag_weight > 0) {
      const at::Tensor query = vae_.bag_query(code).unsqueeze(1).expand({-1, numbers.size(1), -1});
      loss =
          loss +
          options_.bag_weight *
              models::sampled_losses(query, numbers, vae_.embedding(), vae_.bias(), candidates).sum(1).mean();
    }
    const double words = static_cast<double>(targets.size(1));
    return {loss,
            {{"nats a word", (reconstruction / words).detach()},
             {"KL", kl.detach()},
             {"pull", pull.detach()},
             {"guess", guessing.detach()}}};
  }

  /// `code`: of some texts.
  StepTerms rollouts(const at::Tensor& code, at::Generator& generator) const {
    const at::Tensor z = codes_to_decode(code.detach(), generator);
    const RelaxedTexts texts = decode_relaxed(vae_, z, options_.decoding, generator);
    const at::Tensor p =
        at::softmax(classifier_.logits_of(texts.vectors(classifier_table_), texts.lengths), 1);
    const flow::Estimator estimator{flow::Sampling::nested, flow::Placement::stratified,
                                    flow::Correction::none};
    const at::Tensor bound = flow::variational_information(
        p.unsqueeze(1), vae_.promise(z.narrow(1, 0, vae_.shape().causal)), estimator);
    const models::Posterior again = vae_.encode(texts.vectors(vae_.embedding()), texts.lengths);
    const at::Tensor cycle = (again.mean - z).square().mean();
    return {options_.cycle_weight * cycle - options_.lambda * bound.to(at::kFloat),
            {{"C", bound.detach()}, {"cycle", cycle.detach()}}};
  }

 private:
  at::Tensor codes_to_decode(const at::Tensor& code, at::Generator& generator) const {
    const models::SentenceVaeShape& shape = vae_.shape();
    std::vector<std::int64_t> alphas(static_cast<std::size_t>(shape.causal));
    std::iota(alphas.begin(), alphas.end(), 0);
    at::Tensor z = flow::draw_latents(shape.latents(), alphas, options_.rollouts, 1, flow::Sampling::nested,
                                      flow::Placement::stratified, generator)
                       .to(code.options());
    const std::int64_t half = std::min(options_.rollouts / 2, code.size(0));
    // Rows are in the order of alpha: a random half gets the betas of texts.
    const at::Tensor rows =
        at::randperm(options_.rollouts, generator, code.options().dtype(at::kLong)).narrow(0, 0, half);
    at::Tensor beta = z.narrow(1, shape.causal, shape.noncausal);
    beta.index_copy_(0, rows, code.narrow(0, 0, half).narrow(1, shape.causal, shape.noncausal));
    return z;
  }

  const SentenceVae& vae_;
  const models::TextClassifier& classifier_;
  at::Tensor classifier_table_, prior_;
  const Training& options_;
};

std::string fingerprint(const models::SentenceVae& vae, const Corpus& corpus, const Training& o,
                        std::int64_t count) {
  const models::SentenceVaeShape& s = vae.shape();
  return fmt::format(
      "sentence vae {} {} {} {} {} {} {} {} {}, {} parameters, {} texts, {} steps of {}, {} {} {} {} {} {}, "
      "weights {} {} {} {} {} {} {}, {} {} {} {} {}, seed {}",
      static_cast<int>(s.architecture), s.words, s.classes, s.causal, s.noncausal, s.embedding,
      s.encoder_hidden, s.decoder_hidden, s.guide, count, corpus.numbers.size(0), o.steps, o.batch,
      o.causal_share, o.sure, o.learning_rate, o.word_dropout, o.encoder_dropout, o.sampled_words,
      o.kl_weight, o.kl_warmup, o.bag_weight, o.pull_weight, o.adversary_weight, o.lambda, o.cycle_weight,
      o.causal_every, o.rollouts, o.decoding.candidates, o.decoding.noise, o.decoding.longest, o.seed);
}

}  // namespace

nn::LoopSummary train(models::SentenceVae& vae, const models::TextClassifier& classifier,
                      const at::Tensor& translation, const Corpus& corpus, const Training& options,
                      const ProgressCallback& progress) {
  const auto first_causal =
      static_cast<std::int64_t>((1 - options.causal_share) * static_cast<double>(options.steps));
  const at::Tensor sure = sure_rows(corpus.answers, options.sure);
  if (sure.size(0) == 0 && options.causal_share > 0)
    fail("the classifier is sure of no text; lower explanation.sure or train it longer");
  data::TextBatches all(corpus.numbers, options.batch, options.seed);
  std::optional<data::TextBatches> sure_only;
  if (sure.size(0) > 0)
    sure_only.emplace(corpus.numbers.index_select(0, sure), options.batch, options.seed + 1);
  const Objective objective(vae, classifier, translation, corpus.answers.mean(0, true), options);
  nn::Optimizer optimizer(vae.parameters(), nn::Adam{});
  nn::SmoothedReadings smoothed, smoothed_causal;
  nn::Readings causal_readings;
  const auto step = [&](std::int64_t index) {
    Generator generator = make_generator(options.seed, fmt::format("text/step/{}", index));
    const bool second = index >= first_causal;
    data::TextBatch batch = second ? sure_only->at(index - first_causal) : all.at(index);
    if (second) batch.rows = sure.index_select(0, batch.rows);
    const double rise = options.kl_warmup * static_cast<double>(options.steps);
    const double kl_weight =
        options.kl_weight * std::min(1.0, (static_cast<double>(index) + 1) / std::max(1.0, rise));
    const at::AutoGradMode gradients(true);
    at::Tensor code;
    StepTerms terms = objective.texts(batch.numbers, corpus.answers.index_select(0, batch.rows), kl_weight,
                                      generator, code);
    if (second && options.lambda + options.cycle_weight > 0 &&
        (index - first_causal) % options.causal_every == 0) {
      const StepTerms causal = objective.rollouts(code, generator);
      terms.loss = terms.loss + causal.loss;
      causal_readings = smoothed_causal.update(causal.readings);
    }
    models::descend(optimizer, terms.loss, nn::one_cycle(index, options.steps, options.learning_rate, 0.1),
                    kLargestGradient);
    nn::Readings readings = smoothed.update(terms.readings);
    readings.insert(readings.end(), causal_readings.begin(), causal_readings.end());
    return readings;
  };
  return nn::run_training({"explanation", fingerprint(vae, corpus, options, vae.parameters().count()),
                           options.steps, options.checkpoint, options.checkpoint_seconds},
                          vae.parameters(), {&optimizer}, step, progress);
}

}  // namespace whence::text
