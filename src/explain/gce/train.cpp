#include "whence/explain/gce/train.h"

#include <optional>

#include "explain/gce/step.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/explain/gce/latent_order.h"
#include "whence/nn/training/optimizer.h"
#include "whence/nn/training/schedule.h"

namespace whence::gce {
namespace {

/// What a warm start begins with; "fresh" otherwise.
std::string start_of(const nn::Network& encoder, const nn::Network& decoder, const Training& options) {
  if (!options.warm_start) return "fresh";
  return models::weight_sums({&encoder, &decoder});
}

std::string inference_of(const CausalOptions& effect) {
  return effect.inference == Inference::averaged ? "" : fmt::format("{} ", name_of(effect.inference));
}

std::string latents_of(const CausalOptions& effect) {
  return effect.latents == Latents::prior ? "" : fmt::format("{} ", name_of(effect.latents));
}

/// Stands in checkpoints only where it is used.
std::string additions_of(const Training& options) {
  std::string text;
  if (options.initial != InitialWeights::published)
    text += fmt::format(", from {}", name_of(options.initial));
  if (options.kl_weight != 1) text += fmt::format(", KL weight {}", options.kl_weight);
  if (options.answer_weight > 0) text += fmt::format(", answer weight {}", options.answer_weight);
  if (options.manifold_weight > 0) text += fmt::format(", manifold weight {}", options.manifold_weight);
  if (options.pretraining > 0) text += fmt::format(", {} steps of pretraining", options.pretraining);
  return text;
}

std::string fingerprint(const nn::Network& encoder, const nn::Network& decoder, const data::Dataset& train,
                        const Training& options) {
  const CausalOptions& effect = options.effect;
  return fmt::format(
      "{} {} + {} {} parameters, {} images, K {} L {} lambda {}, {} {}{}{} {} {} {}x{}, {} steps of {}, "
      "adam {} {} {} {} {}, seed {}, {}, causal weight {}, leak penalty {}, {}{}",
      encoder.name(), encoder.parameter_count(), decoder.name(), decoder.parameter_count(), train.size(),
      options.causal, options.noncausal, options.lambda, name_of(effect.objective), inference_of(effect),
      latents_of(effect), name_of(effect.estimator.sampling), name_of(effect.estimator.outer_draws),
      name_of(effect.estimator.correction), effect.alpha_samples, effect.beta_samples, options.steps,
      options.batch, options.learning_rate, options.beta1, options.beta2, name_of(options.schedule),
      options.warmup, options.seed, name_of(options.precision), options.causal_weight, options.leak_penalty,
      start_of(encoder, decoder, options), additions_of(options));
}

/// Pretraining has a cycle of its own.
double learning_rate_at(std::int64_t step, const Training& options) {
  const bool pretrains = step < options.pretraining;
  return nn::scheduled_rate(options.schedule, pretrains ? step : step - options.pretraining,
                            pretrains ? options.pretraining : options.steps, options.learning_rate,
                            options.warmup);
}

/// The options of pretraining's steps.
Training alone(Training options) {
  options.causal_weight = options.leak_penalty = options.manifold_weight = 0;
  return options;
}

/// Tells of pretraining and of the training after it as two stages.
ProgressCallback in_two_stages(const ProgressCallback& progress, std::int64_t pretraining) {
  if (!progress || pretraining == 0) return progress;
  return [progress, pretraining](const Progress& now) {
    const bool pretrains = now.step <= pretraining;
    progress({pretrains ? now.stage + "/pretraining" : now.stage,
              pretrains ? now.step : now.step - pretraining,
              pretrains ? pretraining : now.total - pretraining, now.values});
  };
}

void check_models(const nn::Network& encoder, const nn::Network& decoder, const Training& options) {
  const std::int64_t latents = options.causal + options.noncausal;
  TORCH_CHECK(encoder.outputs().size() == 2 && encoder.output_shape(0) == nn::Shape{latents},
              "gce::train: the encoder must give mean and log-variance of K + L = ", latents, " latents");
  TORCH_CHECK(decoder.input_shape() == nn::Shape{latents},
              "gce::train: the decoder must take K + L = ", latents, " latents");
  TORCH_CHECK(decoder.output_shape() == encoder.input_shape(),
              "gce::train: decoder and encoder disagree on images");
  if (options.pretraining > 0 && options.causal > 0) check_reordering(encoder, decoder);
  if (options.manifold_weight > 0 && options.pretraining == 0)
    fail_usage("manifold_weight needs pretraining, which trains the autoencoder that it uses");
}

void put_causes_first(nn::Network& encoder, nn::Network& decoder, const models::Classifier& classifier,
                      const Training& options) {
  const auto judged = models::as_decoder(decoder, options.precision);
  reorder_latents(encoder, decoder, order_by_flow(*judged, classifier, options.seed));
}

}  // namespace

nn::LoopSummary train(nn::Network& encoder, nn::Network& decoder, const models::Classifier& classifier,
                      const data::Dataset& train, const Training& options, const ProgressCallback& progress) {
  check_models(encoder, decoder, options);
  if (!options.warm_start) models::initialise_autoencoder(encoder, decoder, options.initial, options.seed);
  nn::Optimizer optimizer({&encoder, &decoder}, nn::Adam{options.beta1, options.beta2});
  std::optional<LabelModel> labels;
  const bool asks = options.causal > 0 && options.causal_weight > 0;
  if (asks && options.effect.inference == Inference::variational) {
    Generator weights = make_generator(options.seed, "gce/labels");
    labels.emplace(options.causal, classifier.classes(), weights, encoder.device());
  }
  std::optional<Manifold> manifold;
  if (options.manifold_weight > 0) manifold.emplace(encoder, decoder);
  data::Batches batches(train, std::min(options.batch, train.size()), options.seed, /*drop_last=*/true,
                        encoder.device());
  nn::SmoothedReadings smoothed;

  const Training pretraining = alone(options);
  const auto step = [&](std::int64_t index) {
    const bool pretrains = index < options.pretraining;
    if (index > 0 && index == options.pretraining) {
      if (options.causal > 0) put_causes_first(encoder, decoder, classifier, options);
      if (manifold) manifold->take(encoder, decoder);
      optimizer.restart();
    }
    const data::Batch batch = batches.at(index);
    Step now(encoder, decoder, classifier, labels ? &*labels : nullptr, manifold ? &*manifold : nullptr,
             pretrains ? pretraining : options, batch.images, index);
    const StepLoss loss = now.run(optimizer);
    optimizer.step(learning_rate_at(index, options));
    if (labels && !pretrains) labels->optimizer.step(LabelModel::learning_rate);
    return smoothed.update(loss.readings());
  };
  const nn::LoopOptions loop{"explanation", fingerprint(encoder, decoder, train, options),
                             options.pretraining + options.steps, options.checkpoint,
                             options.checkpoint_seconds};
  std::vector<nn::Network*> networks = {&encoder, &decoder};
  std::vector<nn::Optimizer*> optimizers = {&optimizer};
  if (labels) {
    networks.push_back(&labels->network);
    optimizers.push_back(&labels->optimizer);
  }
  if (manifold)
    for (nn::Network* network : manifold->networks()) networks.push_back(network);
  return nn::run_training(loop, networks, optimizers, step, in_two_stages(progress, options.pretraining));
}

}  // namespace whence::gce
