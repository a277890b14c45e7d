#include "whence/explain/gce/train.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/nn/optimizer.h"
#include "whence/nn/schedule.h"

namespace whence::gce {
namespace {

std::string fingerprint(const nn::Network& encoder, const nn::Network& decoder, const data::Dataset& train,
                        const Training& options) {
  const CausalOptions& effect = options.effect;
  return fmt::format(
      "{} {} + {} {} parameters, {} images, K {} L {} lambda {}, {} {} {} {}x{}, {} steps of {}, adam {} {} "
      "{} {} {}, "
      "seed {}, {}",
      encoder.name(), encoder.parameter_count(), decoder.name(), decoder.parameter_count(), train.size(),
      options.causal, options.noncausal, options.lambda, name_of(effect.objective), name_of(effect.sampling),
      name_of(effect.correction), effect.alpha_samples, effect.beta_samples, options.steps, options.batch,
      options.learning_rate, options.beta1, options.beta2, name_of(options.schedule), options.warmup,
      options.seed, name_of(options.precision));
}

double learning_rate_at(std::int64_t step, const Training& options) {
  if (options.schedule == Schedule::constant) return options.learning_rate;
  return nn::one_cycle(step, options.steps, options.learning_rate, options.warmup);
}

void check_models(const nn::Network& encoder, const nn::Network& decoder, const Training& options) {
  const std::int64_t latents = options.causal + options.noncausal;
  TORCH_CHECK(encoder.outputs().size() == 2 && encoder.output_shape(0) == nn::Shape{latents},
              "gce::train: the encoder must give mean and log-variance of K + L = ", latents, " latents");
  TORCH_CHECK(decoder.input_shape() == nn::Shape{latents},
              "gce::train: the decoder must take K + L = ", latents, " latents");
  TORCH_CHECK(decoder.output_shape() == encoder.input_shape(),
              "gce::train: decoder and encoder disagree on images");
}

/// Exponential averages of what progress shows; they do not influence training.
class Smoothed {
 public:
  nn::Readings update(const nn::Readings& now) {
    if (readings_.empty()) readings_ = now;
    for (std::size_t i = 0; i < now.size(); ++i) {
      readings_[i].second = kKeep * readings_[i].second + (1 - kKeep) * now[i].second;
    }
    return readings_;
  }

 private:
  static constexpr double kKeep = 0.98;
  nn::Readings readings_;
};

/// What one step needs and leaves.
struct StepLoss {
  at::Tensor total, causal, sse, kl;
};

/// Decodes reconstructions and causal draws in one pass; the classifier sees only the draws. Without causal factors
/// there is nothing to draw.
StepLoss step_loss(const nn::Network& encoder, const nn::Network& decoder,
                   const models::Classifier& classifier, const at::Tensor& images, const Training& options,
                   Generator& generator) {
  const nn::Execution execution{options.precision, /*training=*/true, &generator};
  const std::vector<at::Tensor> posterior = encoder.forward_all(images, execution);
  const at::Tensor &mean = posterior[0], &log_variance = posterior[1];
  const at::Tensor noise = at::randn(mean.sizes(), generator, mean.options());
  const at::Tensor codes = mean + (0.5 * log_variance).exp() * noise;

  StepLoss loss;
  if (options.causal == 0) {
    loss.causal = at::zeros({});
    loss.sse = squared_error(decoder.forward(codes, execution), images);
  } else {
    const CausalDraws draws = draw_causal(options.causal, options.noncausal, options.effect, generator);
    const at::Tensor decoded = decoder.forward(at::cat({codes, draws.latents}), execution);
    const std::int64_t count = images.size(0);
    const at::Tensor drawn = decoded.narrow(0, count, draws.latents.size(0));
    loss.causal = causal_effect(draws, classifier.logits(drawn).softmax(1));
    loss.sse = squared_error(decoded.narrow(0, 0, count), images);
  }
  loss.kl = kl_divergence(mean, log_variance);
  loss.total = options.lambda * (loss.sse + loss.kl) - loss.causal;
  return loss;
}

}  // namespace

nn::LoopSummary train(nn::Network& encoder, nn::Network& decoder, const models::Classifier& classifier,
                      const data::Dataset& train, const Training& options, const ProgressCallback& progress) {
  check_models(encoder, decoder, options);
  constexpr nn::Initialisation kTexts{.convolution_deviation = 0.02};
  Generator weights = make_generator(options.seed, "gce/weights");
  nn::initialise(encoder, kTexts, weights);
  nn::initialise(decoder, kTexts, weights);
  nn::Optimizer optimizer({&encoder, &decoder}, nn::Adam{options.beta1, options.beta2});
  data::Batches batches(train, std::min(options.batch, train.size()), options.seed);
  Smoothed smoothed;

  const auto step = [&](std::int64_t index) {
    Generator generator = make_generator(options.seed, fmt::format("gce/step/{}", index));
    const data::Batch batch = batches.at(index);
    const StepLoss loss = step_loss(encoder, decoder, classifier, batch.images, options, generator);
    optimizer.zero_gradients();
    loss.total.backward();
    optimizer.step(learning_rate_at(index, options));
    return smoothed.update({{"C", loss.causal.item<double>()},
                            {"SSE", loss.sse.item<double>()},
                            {"KL", loss.kl.item<double>()},
                            {"loss", loss.total.item<double>()}});
  };
  const nn::LoopOptions loop{"explanation", fingerprint(encoder, decoder, train, options), options.steps,
                             options.checkpoint, options.checkpoint_seconds};
  return nn::run_training(loop, {&encoder, &decoder}, optimizer, step, progress);
}

std::string_view name_of(Schedule schedule) {
  return schedule == Schedule::constant ? "constant" : "one-cycle";
}

}  // namespace whence::gce
