#include "whence/models/train/inversion.h"

#include <fmt/ranges.h>
#include <torch/csrc/autograd/autograd.h>

#include "models/train/vae_step.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/models/train/vae_loss.h"
#include "whence/nn/training/optimizer.h"
#include "whence/platform/device.h"
#include "whence/platform/exchange.h"
#include "whence/platform/parts.h"

namespace whence::models {
namespace {

using at::Tensor;

/// Samples that stand for the decoder in a checkpoint's fingerprint.
constexpr std::int64_t kFingerprintSamples = 8;

/// Of one part of a step's batch: its shares of the batch's means.
struct InversePart {
  Tensor sse, kl, sleep;
  std::vector<Tensor> gradients;
};

class InverseStep {
 public:
  InverseStep(const nn::Network& encoder, const Decoder& decoder, const InverseTraining& options,
              const Tensor& images, std::int64_t index)
      : encoder_(encoder),
        decoder_(decoder),
        options_(options),
        images_(images),
        exchange_(decoder.network() == nullptr ? 1 : parts_of(images)) {
    Generator generator = step_generator(options.seed, index);
    const auto draws = [&] {
      return at::randn({images.size(0), decoder.latents()}, generator, draws_of(generator))
          .to(images.device());
    };
    noise_ = draws();
    if (options.sleep_weight > 0) sleep_ = draws();
    for (std::int64_t part = 0; part < exchange_.parts(); ++part)
      dropout_.push_back(dropout_generator(options.seed, index, part));
  }

  /// Gives the optimizer the gradients; does not make its step.
  nn::Readings run(nn::Optimizer& optimizer) {
    std::vector<InversePart> parts(dropout_.size());
    run_parts(exchange_, [&](std::int64_t part) {
      parts[static_cast<std::size_t>(part)] = compute(part, optimizer.parameters());
    });
    std::vector<std::vector<Tensor>> gradients;
    for (const InversePart& part : parts) gradients.push_back(part.gradients);
    optimizer.set_gradients(gradients);
    return readings(parts);
  }

 private:
  InversePart compute(std::int64_t part, const std::vector<Tensor>& parameters) {
    const auto [first, count] = part_of(images_.size(0), part, exchange_.parts());
    const Tensor images = images_.narrow(0, first, count);
    const double share = static_cast<double>(count) / static_cast<double>(images_.size(0));
    const nn::Execution execution{
        options_.precision, /*training=*/true, &dropout_[static_cast<std::size_t>(part)], {&exchange_, part}};
    const Tensor asleep = sleep_.defined() ? sleep_.narrow(0, first, count) : Tensor();
    const std::vector<Tensor> posterior = encoder_.forward_all(with_samples(images, asleep), execution);
    const auto rows = [&](std::size_t output, std::int64_t begin) {
      return posterior[output].narrow(0, begin, count);
    };
    const Encoded encoded = drawn(rows(0, 0), rows(1, 0), noise_.narrow(0, first, count), share);
    InversePart own{share * squared_error(decoder_.decode(encoded.latents), images), encoded.kl, {}, {}};
    Tensor loss = own.sse + options_.kl_weight * own.kl;
    if (asleep.defined()) {
      own.sleep = share * negative_log_density(rows(0, count), rows(1, count), asleep);
      loss = loss + options_.sleep_weight * own.sleep;
    }
    own.gradients = torch::autograd::grad({loss}, parameters);
    return own;
  }

  /// The images, and behind them the decoder's samples of `asleep` where there are any.
  Tensor with_samples(const Tensor& images, const Tensor& asleep) const {
    if (!asleep.defined()) return images;
    const at::NoGradGuard no_gradients;
    const Tensor samples = decoder_.decode(asleep).to(images.options());
    return at::cat({images, samples.contiguous(images.suggest_memory_format())});
  }

  nn::Readings readings(const std::vector<InversePart>& parts) const {
    Tensor sse, kl, sleep;
    for (const InversePart& part : parts) {
      add_share(sse, part.sse);
      add_share(kl, part.kl);
      add_share(sleep, part.sleep);
    }
    nn::Readings readings = {{"SSE", sse}, {"KL", kl}};
    Tensor loss = sse + options_.kl_weight * kl;
    if (sleep.defined()) {
      readings.emplace_back("sleep", sleep);
      loss = loss + options_.sleep_weight * sleep;
    }
    readings.emplace_back("loss", loss);
    return readings;
  }

  const nn::Network& encoder_;
  const Decoder& decoder_;
  const InverseTraining& options_;
  Tensor images_, noise_, sleep_;
  Exchange exchange_;
  std::vector<Generator> dropout_;  ///< one for each part
};

/// Images of a few draws, which tell one decoder from another.
Tensor decoded_draws(const Decoder& decoder, std::uint64_t seed) {
  const at::NoGradGuard no_gradients;
  Generator generator = make_generator(seed, "inversion/fingerprint");
  return decoder.decode(at::randn({kFingerprintSamples, decoder.latents()}, generator, draws_of(generator))
                            .to(decoder.device()));
}

void check_models(const nn::Network& encoder, const Decoder& decoder, const Tensor& decoded) {
  if (encoder.outputs().size() != 2 || encoder.output_shape(0) != nn::Shape{decoder.latents()} ||
      encoder.output_shape(1) != encoder.output_shape(0))
    fail("the encoder must give the mean and the log-variance of {} latents, as many as its decoder has",
         decoder.latents());
  if (decoded.sizes().slice(1) != at::IntArrayRef(encoder.input_shape()))
    fail("the decoder makes images of {}, but the encoder takes {}; they must be the same",
         fmt::join(decoded.sizes().slice(1), "x"), fmt::join(encoder.input_shape(), "x"));
}

/// Without gradients the reconstructions would teach nothing.
void check_gradients(const Decoder& decoder) {
  const at::AutoGradMode with_gradients(true);
  const Tensor latents =
      at::zeros({2, decoder.latents()}, at::TensorOptions(decoder.device())).requires_grad_();
  if (!decoder.decode(latents).requires_grad())
    fail("the decoder passes no gradients, so no encoder can be trained for it");
}

std::string fingerprint(const nn::Network& encoder, const Tensor& decoded, const data::Dataset& train,
                        const InverseTraining& options) {
  return fmt::format(
      "{} {} parameters, decoder {:.6g}, {} images, KL weight {}, sleep weight {}, {} steps of {}, adam {} "
      "{} "
      "{} {} {}, seed {}, {}, {}",
      encoder.name(), encoder.parameter_count(), decoded.square().sum(at::kDouble).item<double>(),
      train.size(), options.kl_weight, options.sleep_weight, options.steps, options.batch,
      options.learning_rate, options.beta1, options.beta2, name_of(options.schedule), options.warmup,
      options.seed, name_of(options.precision), name_of(options.initial));
}

}  // namespace

nn::LoopSummary train_inverse(nn::Network& encoder, const Decoder& decoder, const data::Dataset& train,
                              const InverseTraining& options, const ProgressCallback& progress) {
  const Tensor decoded = decoded_draws(decoder, options.seed);
  check_models(encoder, decoder, decoded);
  check_gradients(decoder);
  Generator weights = make_generator(options.seed, "inversion/weights");
  nn::initialise(encoder, initialisation_of(options.initial), weights);
  nn::Optimizer optimizer({&encoder}, nn::Adam{options.beta1, options.beta2});
  data::Batches batches(train, std::min(options.batch, train.size()), options.seed, /*drop_last=*/true,
                        encoder.device());
  nn::SmoothedReadings smoothed;
  const auto step = [&](std::int64_t index) {
    const nn::Readings readings =
        InverseStep(encoder, decoder, options, batches.at(index).images, index).run(optimizer);
    optimizer.step(
        nn::scheduled_rate(options.schedule, index, options.steps, options.learning_rate, options.warmup));
    return smoothed.update(readings);
  };
  const nn::LoopOptions loop{"encoder", fingerprint(encoder, decoded, train, options), options.steps,
                             options.checkpoint, options.checkpoint_seconds};
  return nn::run_training(loop, {&encoder}, {&optimizer}, step, progress);
}

}  // namespace whence::models
