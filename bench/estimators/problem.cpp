#include "problem.h"

#include <torch/csrc/autograd/autograd.h>

#include <numeric>

#include "whence/core/random.h"
#include "whence/nn/network.h"
#include "whence/run/session.h"

namespace whence::bench {
namespace {

using at::Tensor;

constexpr gce::Estimator kReference = {gce::Sampling::nested, gce::Placement::stratified,
                                       gce::Correction::delta};

Tensor flattened_gradient(const Tensor& value, const std::vector<Tensor>& parameters) {
  std::vector<Tensor> parts;
  for (const Tensor& gradient : torch::autograd::grad({value}, parameters))
    parts.push_back(gradient.to(at::kDouble).reshape(-1));
  return at::cat(parts);
}

/// The mean of `repetitions` large estimates.
Truth reference(const Problem& problem, std::int64_t outer, std::int64_t inner, std::int64_t repetitions) {
  Truth truth;
  at::Generator generator = make_generator(0, "bench/estimators/truth/" + problem.name);
  for (std::int64_t i = 0; i < repetitions; ++i) {
    const Estimate e = estimate(problem, kReference, outer, inner, true, generator);
    truth.nats += e.nats / static_cast<double>(repetitions);
    const Tensor part = e.gradient / static_cast<double>(repetitions);
    truth.gradient = truth.gradient.defined() ? truth.gradient + part : part;
  }
  return truth;
}

}  // namespace

Estimate estimate(const Problem& problem, const gce::Estimator& estimator, std::int64_t outer,
                  std::int64_t inner, bool with_gradient, at::Generator& generator) {
  std::vector<std::int64_t> alpha(static_cast<std::size_t>(problem.causal));
  std::iota(alpha.begin(), alpha.end(), std::int64_t{0});
  const Tensor z = gce::draw_latents(problem.causal + problem.noncausal, alpha, outer, inner,
                                     estimator.sampling, estimator.outer_draws, generator);
  const at::AutoGradMode grad_mode(with_gradient);
  const Tensor value = gce::mutual_information(problem.probabilities(z).view({outer, inner, -1}), estimator);
  return {value.item<double>(), with_gradient ? flattened_gradient(value, problem.parameters) : Tensor()};
}

Problem linear_gaussian(std::int64_t classes, std::int64_t causal) {
  constexpr std::int64_t noncausal = 4, pixels = 12;
  at::Generator generator = make_generator(7, fmt::format("bench/estimators/{}/{}", classes, causal));
  Tensor mixing = at::randn({pixels, causal + noncausal}, generator, at::kFloat) / std::sqrt(pixels);
  mixing.narrow(1, causal, noncausal).mul_(0.5);  // the others move the classifier less
  mixing.requires_grad_(true);
  const Tensor readout = 6 * at::randn({classes, pixels}, generator, at::kFloat) / std::sqrt(causal);
  Problem problem{.name = fmt::format("linear-Gaussian, {} classes, K = {}", classes, causal),
                  .causal = causal,
                  .noncausal = noncausal,
                  .probabilities =
                      [mixing, readout](const Tensor& z) {
                        return at::softmax(at::matmul(at::matmul(z, mixing.t()), readout.t()), 1);
                      },
                  .parameters = {mixing},
                  .truth = {}};
  problem.truth = reference(problem, 4096, 128, 4);
  return problem;
}

Problem of_run(const std::string& folder) {
  run::Session session = run::open_session(folder);
  const std::shared_ptr<models::Classifier> classifier = session.classifier(Precision::float32);
  const std::unique_ptr<models::Decoder> trained = session.decoder(Precision::float32);
  TORCH_CHECK(trained->network() != nullptr, "the run's decoder is not a network of whence");
  const auto decoder = std::make_shared<nn::Network>(trained->network()->clone());
  decoder->require_gradients(true);
  Problem problem{.name = session.recipe().title,
                  .causal = session.recipe().explanation.causal,
                  .noncausal = session.recipe().explanation.noncausal,
                  .probabilities =
                      [decoder, classifier](const Tensor& z) {
                        return at::softmax(classifier->logits(decoder->forward(z)), 1);
                      },
                  .parameters = {},
                  .truth = {}};
  for (const nn::NamedTensor& parameter : decoder->parameters())
    problem.parameters.push_back(parameter.tensor);
  problem.truth = reference(problem, 256, 8, 24);
  return problem;
}

}  // namespace whence::bench
