#include "estimators/problem.h"

#include <torch/csrc/autograd/autograd.h>

#include <memory>
#include <numeric>

#include "kinds/gce/gce.h"
#include "kinds/kinds.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/explain/flow/estimators.h"
#include "whence/explain/gce/objective.h"
#include "whence/models/train/vae_loss.h"
#include "whence/nn/graph/network.h"

namespace whence::bench {
namespace {

using at::Tensor;

/// Mean of vectors and the length of its standard error.
struct Spread {
  Tensor mean;
  double error;      ///< of the mean
  double deviation;  ///< of one vector
};

Spread spread_of(const std::vector<Tensor>& vectors) {
  const Tensor all = at::stack(vectors), mean = all.mean(0);
  const auto n = static_cast<double>(vectors.size());
  const double variance = (all - mean).square().sum().item<double>() / (n - 1);
  return {mean, std::sqrt(variance / n), std::sqrt(variance)};
}

Truth truth_of(const Problem& problem, std::int64_t outer, std::int64_t inner, std::int64_t repetitions) {
  constexpr flow::Estimator reference = {flow::Sampling::nested, flow::Placement::stratified,
                                         flow::Correction::delta};
  at::Generator generator = make_generator(0, "bench/estimators/truth/" + problem.name);
  std::vector<Tensor> values, gradients;
  for (std::int64_t i = 0; i < repetitions; ++i) {
    const Tensor z = flow::draw_latents(problem.causal + problem.noncausal, problem.factors(), outer, inner,
                                        reference.sampling, reference.outer_draws, generator);
    const Tensor value =
        flow::mutual_information(problem.probabilities(z).view({outer, inner, -1}), reference);
    values.push_back(value.detach().to(at::kDouble));
    gradients.push_back(problem.gradient_of(value));
  }
  const Spread value = spread_of(values), gradient = spread_of(gradients);
  return {value.mean.item<double>(), value.error, gradient.mean,
          gradient.error / gradient.mean.norm().item<double>()};
}

std::vector<ImageNoise> image_noise_of(experiment::Session& session, const nn::Network& decoder,
                                       const Problem& problem) {
  const std::unique_ptr<models::Encoder> encoder = session.encoder(Precision::float32);
  const double lambda = session.get<gce::Training>().lambda;
  std::vector<ImageNoise> noise;
  for (const std::int64_t batch : {16, 32, 64}) {
    at::Generator generator = make_generator(0, fmt::format("bench/estimators/images/{}", batch));
    data::Batches batches(session.data().train, batch, 0);
    std::vector<Tensor> gradients;
    for (std::int64_t i = 0; i < 32; ++i) {
      const Tensor images = batches.at(i).images;
      const models::Posterior q = encoder->encode(images);
      const Tensor z = q.mean + (0.5 * q.log_variance).exp() * at::randn(q.mean.sizes(), generator);
      gradients.push_back(problem.gradient_of(lambda * models::squared_error(decoder.forward(z), images)));
    }
    noise.push_back({batch, spread_of(gradients).deviation / problem.truth.gradient.norm().item<double>()});
  }
  return noise;
}

}  // namespace

std::vector<std::int64_t> Problem::factors() const {
  std::vector<std::int64_t> alpha(static_cast<std::size_t>(causal));
  std::iota(alpha.begin(), alpha.end(), std::int64_t{0});
  return alpha;
}

at::Tensor Problem::gradient_of(const at::Tensor& value) const {
  std::vector<Tensor> parts;
  for (const Tensor& gradient : torch::autograd::grad({value}, parameters))
    parts.push_back(gradient.to(at::kDouble).reshape(-1));
  return at::cat(parts);
}

Problem linear_gaussian(std::int64_t classes, std::int64_t causal) {
  constexpr std::int64_t noncausal = 4, pixels = 12;
  at::Generator generator = make_generator(7, fmt::format("bench/estimators/{}/{}", classes, causal));
  Tensor mixing = at::randn({pixels, causal + noncausal}, generator, at::kFloat) / std::sqrt(pixels);
  mixing.narrow(1, causal, noncausal).mul_(0.5);  // the others move the classifier less
  mixing.requires_grad_(true);
  const Tensor readout = 6 * at::randn({classes, pixels}, generator, at::kFloat) / std::sqrt(causal);
  Problem problem{.name = fmt::format("linear-Gaussian, {} classes, K = {}", classes, causal),
                  .classes = classes,
                  .causal = causal,
                  .noncausal = noncausal,
                  .probabilities =
                      [mixing, readout](const Tensor& z) {
                        return at::softmax(at::matmul(at::matmul(z, mixing.t()), readout.t()), 1);
                      },
                  .parameters = {mixing},
                  .truth = {},
                  .image_noise = {}};
  problem.truth = truth_of(problem, 4096, 64, 8);
  return problem;
}

Problem of_run(const std::string& folder) {
  experiment::Session session = experiment::open_session(kinds::kinds(), folder);
  const std::shared_ptr<models::Classifier> classifier = session.classifier(Precision::float32);
  const std::unique_ptr<models::Decoder> trained = session.decoder(Precision::float32);
  TORCH_CHECK(trained->network() != nullptr, "the run's decoder is not a network of whence");
  const auto decoder = std::make_shared<nn::Network>(trained->network()->clone());
  decoder->require_gradients(true);
  Problem problem{.name = session.get<experiment::About>().title,
                  .classes = classifier->classes(),
                  .causal = session.get<gce::Training>().causal,
                  .noncausal = session.get<gce::Training>().noncausal,
                  .probabilities =
                      [decoder, classifier](const Tensor& z) {
                        return at::softmax(classifier->logits(decoder->forward(z)), 1);
                      },
                  .parameters = {},
                  .truth = {},
                  .image_noise = {}};
  for (const nn::NamedTensor& parameter : decoder->parameters())
    problem.parameters.push_back(parameter.tensor);
  problem.truth = truth_of(problem, 256, 4, 48);
  problem.image_noise = image_noise_of(session, *decoder, problem);
  return problem;
}

}  // namespace whence::bench
