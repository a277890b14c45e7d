#include "explain/text/objective.h"

#include "whence/explain/flow/draws.h"
#include "whence/explain/flow/estimators.h"
#include "whence/explain/text/fluency.h"
#include "whence/models/text/language_model.h"
#include "whence/models/train/vae_loss.h"

namespace whence::text {
namespace {

using data::Vocabulary;

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

}  // namespace

Objective::Objective(const models::SentenceVae& vae, const models::TextClassifier& classifier,
                     const at::Tensor& translation, const at::Tensor& prior, const Training& options,
                     double typical_nats)
    : vae_(vae),
      classifier_(classifier),
      translation_(translation),
      // In the order of the autoencoder's words: relaxed words find their rows here.
      classifier_table_(classifier.embedding().detach().index_select(0, translation)),
      prior_(prior),
      options_(options),
      typical_nats_(typical_nats) {}

Objective::Batch Objective::prepare(const at::Tensor& numbers, const at::Tensor& answers,
                                    at::Generator& generator) const {
  Batch batch{numbers, answers, without_some_words(numbers, options_.encoder_dropout, generator), {}, {}, {}};
  batch.candidates = models::draw_candidates(models::with_end(numbers), vae_.shape().words,
                                             options_.sampled_words, generator);
  batch.before = models::with_begin(without_some_words(numbers, options_.word_dropout, generator));
  return batch;
}

/// - log p of each word and the end, (N, T + 1).
at::Tensor Objective::losses(const Batch& batch, const at::Tensor& code) const {
  const at::Tensor queries = vae_.queries(at::embedding(vae_.embedding(), batch.before), vae_.guidance(code));
  return models::sampled_losses(queries, models::with_end(batch.numbers), vae_.embedding(), vae_.bias(),
                                batch.candidates);
}

StepTerms Objective::texts(Batch& batch, double kl_weight, at::Generator& generator) const {
  const models::Posterior posterior = vae_.encode(at::embedding(vae_.embedding(), batch.seen));
  batch.code = drawn_code(posterior, generator);
  const at::Tensor alpha = batch.code.narrow(1, 0, vae_.shape().causal),
                   beta = batch.code.narrow(1, vae_.shape().causal, vae_.shape().noncausal);
  const at::Tensor reconstruction = losses(batch, batch.code).sum(1).mean();
  const at::Tensor kl = models::kl_divergence(posterior.mean, posterior.log_variance);
  const at::Tensor pull = cross_entropy(batch.answers, vae_.promise(alpha));
  const at::Tensor guessing =
      cross_entropy(batch.answers, at::log_softmax(vae_.guess(beta.detach(), false), 1));
  const at::Tensor confusion =
      cross_entropy(prior_.expand_as(batch.answers), at::log_softmax(vae_.guess(beta, true), 1));
  at::Tensor loss = reconstruction + kl_weight * kl + options_.pull_weight * pull +
                    options_.adversary_weight * confusion + guessing;
  if (options_.bag_weight > 0) {
    const at::Tensor query = vae_.bag_query(batch.code).unsqueeze(1).expand({-1, batch.numbers.size(1), -1});
    loss = loss + options_.bag_weight * models::sampled_losses(query, batch.numbers, vae_.embedding(),
                                                               vae_.bias(), batch.candidates)
                                            .sum(1)
                                            .mean();
  }
  const auto words = static_cast<double>(batch.numbers.size(1) + 1);
  return {loss,
          {{"nats a word", (reconstruction / words).detach()},
           {"KL", kl.detach()},
           {"pull", pull.detach()},
           {"guess", guessing.detach()}}};
}

StepTerms Objective::rollouts(const Batch& batch, at::Generator& generator) const {
  const at::Tensor z = codes_to_decode(batch.code.detach(), generator);
  const RelaxedTexts texts = decode_relaxed(vae_, z, options_.decoding, generator);
  const at::Tensor p =
      at::softmax(classifier_.logits_of(texts.vectors(classifier_table_), translated(texts.numbers)), 1);
  const flow::Estimator estimator{flow::Sampling::nested, flow::Placement::stratified,
                                  flow::Correction::none};
  const at::Tensor bound = flow::variational_information(
      p.unsqueeze(1), vae_.promise(z.narrow(1, 0, vae_.shape().causal)), estimator);
  const models::Posterior again = vae_.encode(texts.vectors(vae_.embedding()), texts.lengths);
  const at::Tensor cycle = (again.mean - z).square().mean();
  StepTerms terms{options_.cycle_weight * cycle - options_.lambda * bound.to(at::kFloat),
                  {{"C", bound.detach()}, {"cycle", cycle.detach()}}};
  if (options_.fluency_weight > 0) {
    const at::Tensor nats = nats_per_word(*options_.language, texts);
    terms.loss = terms.loss + options_.fluency_weight * (nats - typical_nats_).relu().mean();
    terms.readings.push_back({"fluency", nats.detach().mean()});
  }
  if (options_.repeat_weight > 0) {
    const at::Tensor repeats = repeated_pairs(texts).mean();
    terms.loss = terms.loss + options_.repeat_weight * repeats;
    terms.readings.push_back({"repeats", repeats.detach()});
  }
  return terms;
}

StepTerms Objective::kept_words(const Batch& batch, at::Generator& generator) const {
  const models::SentenceVaeShape& shape = vae_.shape();
  const at::Tensor other =
      at::randn({batch.code.size(0), shape.causal}, generator, batch.code.options().requires_grad(false));
  const at::Tensor code = at::cat({other, batch.code.narrow(1, shape.causal, shape.noncausal)}, 1);
  const at::Tensor share = at::constant_pad_nd(spared_words(classifier_, translated(batch.numbers)), {0, 1},
                                               1);  // the end is kept
  const at::Tensor kept = (losses(batch, code) * share).sum(1).mean();
  return {options_.keep_weight * kept, {{"kept", (kept / share.sum(1).mean()).detach()}}};
}

/// In the classifier's vocabulary.
at::Tensor Objective::translated(const at::Tensor& numbers) const {
  return translation_.index_select(0, numbers.flatten()).view(numbers.sizes());
}

at::Tensor Objective::codes_to_decode(const at::Tensor& code, at::Generator& generator) const {
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

at::Tensor spared_words(const models::TextClassifier& classifier, const at::Tensor& numbers) {
  constexpr double least = 1e-9;
  const at::AutoGradMode gradients(true);
  const at::Tensor vectors = at::embedding(classifier.embedding(), numbers).detach().requires_grad_(true);
  const at::Tensor logits = classifier.logits_of(vectors, numbers);
  const at::Tensor margin = (logits.amax(1) - logits.mean(1)).sum();
  const at::Tensor gradient = torch::autograd::grad({margin}, {vectors}).front();
  const at::NoGradGuard no_gradients;
  const at::Tensor influence = (gradient * vectors).sum(2).abs();
  return 1 - influence / influence.amax(1, true).clamp_min(least);
}

}  // namespace whence::text
