// The training of explanation networks.
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "explain/attribution/embedding.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/nn/training/training_loop.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

using at::Tensor;

constexpr std::int64_t kRows = 64;  ///< images of a step
constexpr std::int64_t kWidth = 64;
constexpr double kRate = 3e-3, kSlope = 10;  ///< of Adam; q

/// Places of the outputs.
enum : std::size_t { kDimensions, kPrediction, kReconstruction };

nn::Network untrained(std::int64_t values, std::int64_t dimensions, at::Generator& generator) {
  nn::Network network("explanation network", {values});
  network.add("hidden", nn::Linear{kWidth});
  network.add("hidden_active", nn::Relu{});
  network.add("embedding", nn::Linear{dimensions});
  network.add("dimensions", nn::Relu{});
  network.add("prediction", nn::Linear{1}, {"dimensions"});
  network.add("decoder", nn::Linear{kWidth}, {"dimensions"});
  network.add("decoder_active", nn::Relu{});
  network.add("reconstruction", nn::Linear{values});
  network.set_outputs({"dimensions", "prediction", "reconstruction"});
  nn::initialise(network, {.keeps_size = true}, generator);
  return network;
}

/// v, (1, n).
Tensor prediction_weights(const nn::Network& network) {
  return network.layers()[network.find("prediction")].parameters.front().tensor.detach();
}

/// Mean cos(e_k, e_l)^2 over k != l.
Tensor alikeness(const Tensor& dimensions) {
  const std::int64_t count = dimensions.size(1);
  const Tensor directions = dimensions / dimensions.square().sum(0, true).sqrt().clamp_min(1e-12);
  const Tensor squares = directions.t().mm(directions).square();
  const auto pairs = static_cast<double>(std::max<std::int64_t>(1, count * (count - 1)));
  return (squares.sum() - squares.diagonal().sum()) / pairs;
}

/// Activations and scores in units of their own spread.
struct Lesson {
  Tensor activations, spread, scores;  ///< (T, D), (D), (T)
};

Tensor loss_of(const nn::Network& network, const Lesson& lesson, const Tensor& rows,
               const EmbeddingExplanation& own) {
  const Tensor z = lesson.activations.index_select(0, rows), f = lesson.scores.index_select(0, rows);
  const std::vector<Tensor> outputs = network.forward_all(z, {.training = true});
  const Tensor faithful = (outputs[kPrediction].squeeze(1) - f).square().mean();
  const Tensor missed = (outputs[kReconstruction] - z).square().mean(0) / lesson.spread;
  const Tensor sparse = (kSlope * missed).log1p().mean() / std::log1p(kSlope);
  return faithful + own.reconstruction * sparse + own.orthogonality * alikeness(outputs[kDimensions]);
}

Tensor rows_of_step(const Lesson& lesson, const Options& options, std::int64_t label, std::int64_t step) {
  Generator generator = make_generator(options.seed, fmt::format("attribution/embedding/{}/{}", label, step));
  return at::randint(lesson.scores.size(0), {kRows}, generator, draws_of(generator, at::kLong))
      .to(lesson.scores.device());
}

void train(nn::Network& network, const Lesson& lesson, std::int64_t label, const Options& options) {
  const auto& own = options.of<EmbeddingExplanation>();
  nn::Optimizer optimizer({&network}, nn::Adam{});
  prediction_weights(network).abs_();
  const auto step = [&](std::int64_t index) {
    const at::AutoGradMode with_gradients(true);
    const Tensor loss = loss_of(network, lesson, rows_of_step(lesson, options, label, index), own);
    optimizer.set_gradients({torch::autograd::grad({loss}, optimizer.parameters())});
    optimizer.step(kRate);
    prediction_weights(network).clamp_min_(0);
    return nn::Readings{{"loss", loss.detach()}};
  };
  nn::LoopOptions loop;
  loop.stage = fmt::format("explanation network of class {}", label);
  loop.steps = own.steps;
  nn::run_training(loop, {&network}, {&optimizer}, step, options.progress);
}

}  // namespace

std::shared_ptr<const ExplanationNetwork> trained_explanation(const at::Tensor& activations,
                                                              const at::Tensor& scores, std::int64_t label,
                                                              const Options& options) {
  const auto& own = options.of<EmbeddingExplanation>();
  const double scale = std::max(activations.square().mean().sqrt().item<double>(), 1e-12);
  const double mean = scores.mean().item<double>(),
               deviation = std::max(scores.std(/*unbiased=*/false).item<double>(), 1e-12);
  const Tensor z = activations / scale;
  const Lesson lesson = {z, z.var(0, /*unbiased=*/false).clamp_min(1e-6), (scores - mean) / deviation};
  Generator generator = make_generator(options.seed, fmt::format("attribution/embedding/{}", label));
  nn::Network network = untrained(z.size(1), own.dimensions, generator);
  network.to(z.device());
  train(network, lesson, label, options);
  const at::NoGradGuard no_grad;
  nn::Network frozen = network.frozen(Precision::float32);
  const std::vector<Tensor> outputs = frozen.forward_all(z);
  const Tensor weights = prediction_weights(frozen).flatten() * deviation;
  const Tensor order = (outputs[kDimensions].mean(0) * weights).abs().argsort(0, /*descending=*/true);
  const Tensor missed = (outputs[kPrediction].squeeze(1) - lesson.scores).square().mean();
  return std::make_shared<const ExplanationNetwork>(
      ExplanationNetwork{std::move(frozen), scale, mean, deviation, weights.index_select(0, order).clone(),
                         order, missed.item<double>(), alikeness(outputs[kDimensions]).item<double>()});
}

}  // namespace whence::attribution
