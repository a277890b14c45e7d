#include "explain/text/aggressive.h"

#include <limits>
#include <numbers>

#include "models/text/gradients.h"
#include "whence/core/random.h"

namespace whence::text {
namespace {

constexpr std::int64_t kJudged = 1000;  ///< texts

/// log q(z_n|x_m), float64 (N, N).
at::Tensor log_densities(const at::Tensor& z, const at::Tensor& mean, const at::Tensor& log_variance) {
  const at::Tensor precision = (-log_variance).exp();
  const at::Tensor squares = at::matmul(z.square(), precision.t()) -
                             2 * at::matmul(z, (mean * precision).t()) +
                             (mean.square() * precision).sum(1).unsqueeze(0);
  const double constant = static_cast<double>(z.size(1)) * std::log(2 * std::numbers::pi);
  return -0.5 * (squares + log_variance.sum(1).unsqueeze(0) + constant);
}

}  // namespace

double code_information(const models::Posterior& posterior, at::Generator& generator) {
  const at::NoGradGuard no_gradients;
  const at::Tensor mean = posterior.mean.to(at::kDouble),
                   log_variance = posterior.log_variance.to(at::kDouble);
  const at::Tensor z = mean + (0.5 * log_variance).exp() * at::randn(mean.sizes(), generator, mean.options());
  const at::Tensor densities = log_densities(z, mean, log_variance);
  const at::Tensor marginal = densities.logsumexp(1) - std::log(static_cast<double>(mean.size(0)));
  return (densities.diagonal() - marginal).mean().item<double>();
}

double code_information(const models::SentenceVae& vae, const at::Tensor& numbers, at::Generator& generator) {
  const at::NoGradGuard no_gradients;
  return code_information(
      vae.encode(at::embedding(vae.embedding(), numbers), data::lengths_of(numbers).clamp_min(1)), generator);
}

EncoderFirst::EncoderFirst(const models::SentenceVae& vae, const Objective& objective, nn::Optimizer& encoder,
                           const Corpus& corpus, const Training& options)
    : vae_(vae),
      objective_(objective),
      encoder_(encoder),
      corpus_(corpus),
      options_(options),
      batches_(corpus.numbers, options.batch, options.seed + 2),
      check_every_(options.aggressive.check_every > 0 ? options.aggressive.check_every
                                                      : batches_.per_epoch()),
      state_(at::tensor(std::vector<double>{0, 1}, at::TensorOptions(at::kCPU).dtype(at::kDouble))) {
  Generator draws = make_generator(options.seed, "text/aggressive/judged");
  const std::int64_t all = corpus.numbers.size(0);
  judged_ = corpus.numbers.index_select(
      0, at::randperm(all, draws, at::kLong).narrow(0, 0, std::min(all, kJudged)));
}

bool EncoderFirst::is_on(std::int64_t index) {
  if (state_[1].item<double>() == 0) return false;
  if (index == 0 || index % check_every_ != 0) return true;
  Generator draws = make_generator(options_.seed, "text/aggressive/information");
  const double now = code_information(vae_, judged_, draws);
  if (!(now > information())) state_[1].fill_(0);
  state_[0].fill_(now);
  return state_[1].item<double>() != 0;
}

std::int64_t EncoderFirst::converge(std::int64_t index, double kl_weight, double learning_rate,
                                    double largest_gradient) {
  Generator draws = make_generator(options_.seed, fmt::format("text/aggressive/{}", index));
  const AggressiveEncoder& limits = options_.aggressive;
  double before = std::numeric_limits<double>::infinity(), loss = 0, words = 0;
  for (std::int64_t i = 1; i <= limits.iterations; ++i) {
    const data::TextBatch batch = batches_.at(
        at::randint(batches_.per_epoch(), {1}, draws, corpus_.numbers.options()).item<std::int64_t>());
    Objective::Batch prepared =
        objective_.prepare(batch.numbers, corpus_.answers.index_select(0, batch.rows), draws);
    const StepTerms terms = objective_.texts(prepared, kl_weight, draws);
    models::descend(encoder_, terms.loss, learning_rate, largest_gradient);
    loss += terms.loss.item<double>() * static_cast<double>(batch.rows.size(0));
    words += static_cast<double>(batch.rows.size(0) * (batch.numbers.size(1) + 1));
    if (i % limits.window != 0) continue;
    if (!(loss / words < before)) return i;
    before = loss / words;
    loss = words = 0;
  }
  return limits.iterations;
}

}  // namespace whence::text
