#include "whence/models/train/vae.h"

#include <torch/csrc/autograd/autograd.h>

#include "models/train/vae_step.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/models/train/vae_loss.h"
#include "whence/nn/training/optimizer.h"
#include "whence/platform/device.h"
#include "whence/platform/exchange.h"
#include "whence/platform/parts.h"

namespace whence::models {
namespace {

/// Of one part of a step's batch.
struct Part {
  at::Tensor sse, kl;             ///< its share of the batch's means
  std::vector<at::Tensor> terms;  ///< likewise, by VaeTraining::terms
  std::vector<at::Tensor> gradients;
};

class Step {
 public:
  Step(const nn::Network& encoder, const nn::Network& decoder, const VaeTraining& options,
       const at::Tensor& images, std::int64_t index)
      : encoder_(encoder),
        decoder_(decoder),
        options_(options),
        images_(images),
        exchange_(parts_of(images)) {
    Generator generator = step_generator(options.seed, index);
    noise_ = at::randn({images.size(0), decoder.input_shape()[0]}, generator, draws_of(generator))
                 .to(images.device());
    for (std::int64_t part = 0; part < exchange_.parts(); ++part)
      dropout_.push_back(dropout_generator(options.seed, index, part));
  }

  /// Gives the optimizer the gradients; does not make its step.
  nn::Readings run(nn::Optimizer& optimizer) {
    const auto& parameters = optimizer.parameters();
    const auto split = parameters.begin() + static_cast<std::ptrdiff_t>(encoder_.parameters().size());
    const std::vector<at::Tensor> encoders(parameters.begin(), split), decoders(split, parameters.end());
    std::vector<Part> parts(dropout_.size());
    run_parts(exchange_, [&](std::int64_t part) {
      parts[static_cast<std::size_t>(part)] = compute(part, encoders, decoders);
    });
    std::vector<std::vector<at::Tensor>> gradients;
    for (const Part& part : parts) gradients.push_back(part.gradients);
    optimizer.set_gradients(gradients);
    return readings(parts);
  }

 private:
  Part compute(std::int64_t part, const std::vector<at::Tensor>& encoders,
               const std::vector<at::Tensor>& decoders) {
    const auto [first, count] = part_of(images_.size(0), part, exchange_.parts());
    const at::Tensor images = images_.narrow(0, first, count);
    const double share = static_cast<double>(count) / static_cast<double>(images_.size(0));
    const nn::Execution execution{
        options_.precision, /*training=*/true, &dropout_[static_cast<std::size_t>(part)], {&exchange_, part}};
    const Encoded encoded = encode(encoder_, images, noise_.narrow(0, first, count), share, execution);
    const at::Tensor latents = encoded.latents.detach().requires_grad_();
    const at::Tensor reconstructions = decoder_.forward(latents, execution);
    Part own{share * squared_error(reconstructions, images), encoded.kl, {}, {}};
    at::Tensor loss = own.sse;
    for (const ReconstructionTerm& term : options_.terms) {
      own.terms.push_back(share * term.mean(reconstructions, images));
      loss = loss + term.weight * own.terms.back();
    }
    std::vector<at::Tensor> sought = decoders;
    sought.push_back(latents);
    std::vector<at::Tensor> of_decoder = torch::autograd::grad({loss}, sought);
    own.gradients = encoder_gradients(encoded, options_.kl_weight, of_decoder.back(), encoders);
    own.gradients.insert(own.gradients.end(), of_decoder.begin(), of_decoder.end() - 1);
    return own;
  }

  nn::Readings readings(const std::vector<Part>& parts) const {
    at::Tensor sse, kl;
    std::vector<at::Tensor> terms(options_.terms.size());
    for (const Part& part : parts) {
      add_share(sse, part.sse);
      add_share(kl, part.kl);
      for (std::size_t i = 0; i < terms.size(); ++i) add_share(terms[i], part.terms[i]);
    }
    nn::Readings readings = {{"SSE", sse}, {"KL", kl}};
    at::Tensor loss = sse + options_.kl_weight * kl;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      readings.emplace_back(options_.terms[i].name, terms[i]);
      loss = loss + options_.terms[i].weight * terms[i];
    }
    readings.emplace_back("loss", loss);
    return readings;
  }

  const nn::Network &encoder_, &decoder_;
  const VaeTraining& options_;
  at::Tensor images_, noise_;
  Exchange exchange_;
  std::vector<Generator> dropout_;  ///< one for each part
};

std::string fingerprint(const nn::Network& encoder, const nn::Network& decoder, const data::Dataset& train,
                        const VaeTraining& options) {
  std::string text = fmt::format(
      "{} {} + {} {} parameters, {} images, KL weight {}, {} steps of {}, adam {} {} {} {} {}, seed {}, {}, "
      "{}",
      encoder.name(), encoder.parameter_count(), decoder.name(), decoder.parameter_count(), train.size(),
      options.kl_weight, options.steps, options.batch, options.learning_rate, options.beta1, options.beta2,
      name_of(options.schedule), options.warmup, options.seed, name_of(options.precision),
      options.warm_start ? weight_sums({&encoder, &decoder}) : name_of(options.initial));
  for (const ReconstructionTerm& term : options.terms) text += fmt::format(", {} {}", term.name, term.weight);
  return text;
}

void check_models(const nn::Network& encoder, const nn::Network& decoder) {
  TORCH_CHECK(encoder.outputs().size() == 2 && encoder.output_shape(0) == decoder.input_shape(),
              "train_vae: the encoder must give mean and log-variance of the decoder's latents");
  TORCH_CHECK(decoder.output_shape() == encoder.input_shape(),
              "train_vae: decoder and encoder disagree on images");
}

}  // namespace

void initialise_autoencoder(nn::Network& encoder, nn::Network& decoder, InitialWeights initial,
                            std::uint64_t seed) {
  const nn::Initialisation options = initialisation_of(initial);
  Generator weights = make_generator(seed, "gce/weights");
  nn::initialise(encoder, options, weights);
  nn::initialise(decoder, options, weights);
}

nn::LoopSummary train_vae(nn::Network& encoder, nn::Network& decoder, const data::Dataset& train,
                          const VaeTraining& options, const ProgressCallback& progress) {
  check_models(encoder, decoder);
  if (!options.warm_start) initialise_autoencoder(encoder, decoder, options.initial, options.seed);
  nn::Optimizer optimizer({&encoder, &decoder}, nn::Adam{options.beta1, options.beta2});
  data::Batches batches(train, std::min(options.batch, train.size()), options.seed, /*drop_last=*/true,
                        encoder.device());
  nn::SmoothedReadings smoothed;
  const auto step = [&](std::int64_t index) {
    const nn::Readings readings =
        Step(encoder, decoder, options, batches.at(index).images, index).run(optimizer);
    optimizer.step(
        nn::scheduled_rate(options.schedule, index, options.steps, options.learning_rate, options.warmup));
    return smoothed.update(readings);
  };
  const nn::LoopOptions loop{"generator", fingerprint(encoder, decoder, train, options), options.steps,
                             options.checkpoint, options.checkpoint_seconds};
  return nn::run_training(loop, {&encoder, &decoder}, {&optimizer}, step, progress);
}

std::string weight_sums(const std::vector<const nn::Network*>& networks) {
  double sum = 0, squares = 0;
  for (const nn::Network* network : networks) {
    for (const nn::NamedTensor& entry : network->state()) {
      const at::Tensor values = entry.tensor.detach().to(at::kDouble);
      sum += values.sum().item<double>();
      squares += values.square().sum().item<double>();
    }
  }
  return fmt::format("warm {} {}", sum, squares);
}

std::string_view name_of(InitialWeights weights) {
  return weights == InitialWeights::published ? "published" : "he";
}

}  // namespace whence::models
