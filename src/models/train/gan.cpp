#include "whence/models/train/gan.h"

#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <optional>

#include "models/train/adversary.h"
#include "models/train/vae_step.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/batches.h"
#include "whence/platform/device.h"
#include "whence/platform/exchange.h"
#include "whence/platform/parts.h"

namespace whence::models {
namespace {

at::TensorOptions cpu_options(at::ScalarType type) { return at::TensorOptions(at::kCPU).dtype(type); }

/// Of one part of a step's batch.
struct GanPart {
  at::Tensor real, latents;           ///< its rows
  double share;                       ///< of the batch
  Generator dropout, changes;         ///< its random streams
  at::Tensor fake;                    ///< with the generator's graph
  at::Tensor loss, of_real, of_fake;  ///< its shares of the batch's means
  std::vector<at::Tensor> gradients;
};

/// A step's batch, whose parts threads compute side by side. Batch norm sees all of them.
class GanBatch {
 public:
  GanBatch(const at::Tensor& real, const at::Tensor& latents, const GanTraining& options, std::int64_t index)
      : options_(options), exchange_(parts_of(real)) {
    for (std::int64_t part = 0; part < exchange_.parts(); ++part) {
      const auto [first, count] = part_of(real.size(0), part, exchange_.parts());
      const auto stream = [&, part = part](std::string_view use) {
        return make_generator(options.seed, fmt::format("gan/step/{}/{}/{}", index, use, part));
      };
      parts_.push_back({real.narrow(0, first, count),
                        latents.narrow(0, first, count),
                        static_cast<double>(count) / static_cast<double>(real.size(0)),
                        stream("dropout"),
                        stream("changes"),
                        {},
                        {},
                        {},
                        {},
                        {}});
    }
  }

  void run(const std::function<void(GanPart& part, const nn::Execution& execution)>& body) {
    run_parts(exchange_, [&](std::int64_t part) {
      GanPart& own = parts_[static_cast<std::size_t>(part)];
      body(own, {options_.precision, /*training=*/true, &own.dropout, {&exchange_, part}});
    });
  }

  std::vector<std::vector<at::Tensor>> gradients() const {
    std::vector<std::vector<at::Tensor>> all;
    for (const GanPart& part : parts_) all.push_back(part.gradients);
    return all;
  }
  at::Tensor sum(at::Tensor GanPart::*shares) const {
    at::Tensor all;
    for (const GanPart& part : parts_) add_share(all, part.*shares);
    return all;
  }

 private:
  const GanTraining& options_;
  Exchange exchange_;
  std::vector<GanPart> parts_;
};

class Adversaries {
 public:
  Adversaries(nn::Network& generator, nn::Network& discriminator, const data::Dataset& train,
              const GanTraining& options, const GeneratorDistance& distance)
      : generator_(generator),
        discriminator_(discriminator),
        options_(options),
        distance_(distance),
        batches_(train, std::min(options.batch, train.size()), options.seed, /*drop_last=*/true,
                 generator.device()),
        average_(begin()),
        chosen_(average_.clone("chosen-" + generator.name())),
        of_generator_({&generator}, nn::Adam{options.beta1, options.beta2}) {
    Generator vectors = make_generator(options.seed, "gan/spectral");
    trained_.emplace(discriminator, options.spectral_norm ? &vectors : nullptr,
                     nn::Adam{options.beta1, options.beta2});
  }

  nn::Readings step(std::int64_t index) {
    Generator draws = make_generator(options_.seed, fmt::format("gan/step/{}", index));
    const at::Tensor real = batches_.at(index).images * 2 - 1;
    const at::Tensor latents =
        at::randn({real.size(0), generator_.input_shape()[0]}, draws, draws_of(draws)).to(real.device());
    GanBatch batch(real, latents, options_, index);
    nn::Readings readings = train_discriminator(batch);
    readings.emplace_back("generator", train_generator(batch));
    move_average(average_, generator_, options_.average);
    readings = smoothed_.update(readings);
    if (is_candidate(index)) consider(index);
    if (!last_.isnan().item<bool>()) readings.emplace_back("distance", last_);
    return readings;
  }

  nn::LoopSummary run(const nn::LoopOptions& loop, const ProgressCallback& progress) {
    nn::LoopOptions options = loop;
    options.state = {{"gan.last", last_}, {"gan.least", least_}, {"gan.chosen_step", chosen_step_}};
    for (const nn::NamedTensor& own : trained_->state()) options.state.push_back(own);
    const nn::LoopSummary summary = nn::run_training(
        options, {&generator_, &discriminator_, &average_, &chosen_},
        {&of_generator_, &trained_->optimizer()}, [&](std::int64_t index) { return step(index); }, progress);
    generator_.load_state((options_.candidate_steps > 0 ? chosen_ : average_).state());
    return summary;
  }

  double distance() const { return std::isfinite(least()) ? least() : 0; }
  std::int64_t chosen_step() const { return chosen_step_.item<std::int64_t>(); }

 private:
  /// Initialises both networks; returns the average's first value.
  nn::Network begin() {
    Generator weights = make_generator(options_.seed, "gan/weights");
    initialise_adversary(generator_, weights);
    initialise_adversary(discriminator_, weights);
    return generator_.clone("average-" + generator_.name());
  }

  at::Tensor score(const at::Tensor& images, GanPart& part, const nn::Execution& execution) const {
    return trained_->judge().forward(augment(images, options_.augmentation, part.changes), execution);
  }

  /// Leaves the generated images behind, for train_generator.
  nn::Readings train_discriminator(GanBatch& batch) {
    trained_->prepare();
    batch.run([&](GanPart& part, const nn::Execution& execution) {
      part.fake = generator_.forward(part.latents, execution) * 2 - 1;
      const at::Tensor of_real = score(part.real, part, execution),
                       of_fake = score(part.fake.detach(), part, execution);
      part.loss = part.share * discriminator_loss(options_.loss, options_.real_label, of_real, of_fake);
      part.gradients = trained_->gradients(part.loss);
      part.of_real = part.share * of_real.detach().sigmoid().mean();
      part.of_fake = part.share * of_fake.detach().sigmoid().mean();
    });
    trained_->step(batch.gradients(), options_.learning_rate);
    return {{"discriminator", batch.sum(&GanPart::loss)},
            {"real", batch.sum(&GanPart::of_real)},
            {"fake", batch.sum(&GanPart::of_fake)}};
  }

  at::Tensor train_generator(GanBatch& batch) {
    batch.run([&](GanPart& part, const nn::Execution& execution) {
      part.loss = part.share * generator_loss(options_.loss, score(part.fake, part, execution));
      part.gradients = torch::autograd::grad({part.loss}, of_generator_.parameters());
    });
    of_generator_.set_gradients(batch.gradients());
    of_generator_.step(options_.learning_rate);
    return batch.sum(&GanPart::loss);
  }

  bool is_candidate(std::int64_t index) const {
    const std::int64_t every = options_.candidate_steps;
    return every > 0 && ((index + 1) % every == 0 || index + 1 == options_.steps);
  }

  void consider(std::int64_t index) {
    const double found = distance_(average_);
    last_.fill_(found);
    if (!(found < least())) return;
    chosen_.load_state(average_.state());
    least_.fill_(found);
    chosen_step_.fill_(index + 1);
  }

  double least() const { return least_.item<double>(); }

  nn::Network &generator_, &discriminator_;
  const GanTraining& options_;
  const GeneratorDistance& distance_;
  data::Batches batches_;
  nn::Network average_, chosen_;
  nn::Optimizer of_generator_;
  std::optional<TrainedDiscriminator> trained_;  ///< the discriminator, once it has its first weights
  nn::SmoothedReadings smoothed_;
  // Of candidates; on the processor, where the loop looks at them.
  at::Tensor last_ = at::full({}, std::numeric_limits<double>::quiet_NaN(), cpu_options(at::kDouble));
  at::Tensor least_ = at::full({}, std::numeric_limits<double>::infinity(), cpu_options(at::kDouble));
  at::Tensor chosen_step_ = at::zeros({}, cpu_options(at::kLong));
};

std::string fingerprint(const nn::Network& generator, const nn::Network& discriminator,
                        const data::Dataset& train, const GanTraining& options) {
  const SharedAugmentation& changes = options.augmentation;
  return fmt::format(
      "{} {} + {} {} parameters, {} images, {} loss, real label {}, spectral norm {}, average {}, changes {} "
      "{} "
      "{}, {} steps of {}, adam {} {} {}, candidates every {}, seed {}, {}",
      generator.name(), generator.parameter_count(), discriminator.name(), discriminator.parameter_count(),
      train.size(), name_of(options.loss), options.real_label, options.spectral_norm, options.average,
      changes.colour, changes.translation, changes.cutout, options.steps, options.batch,
      options.learning_rate, options.beta1, options.beta2, options.candidate_steps, options.seed,
      name_of(options.precision));
}

void check_models(const nn::Network& generator, const nn::Network& discriminator,
                  const GanTraining& options) {
  TORCH_CHECK(generator.output_shape() == discriminator.input_shape(),
              "train_gan: generator and discriminator disagree on images");
  TORCH_CHECK(discriminator.output_shape() == nn::Shape{1},
              "train_gan: the discriminator must give one score");
  if (options.spectral_norm && discriminator.mixes_samples())
    fail_usage("spectral norm needs a discriminator without batch norm, which would undo it");
}

}  // namespace

GanSummary train_gan(nn::Network& generator, nn::Network& discriminator, const data::Dataset& train,
                     const GanTraining& options, const GeneratorDistance& distance,
                     const ProgressCallback& progress) {
  check_models(generator, discriminator, options);
  Adversaries adversaries(generator, discriminator, train, options, distance);
  const nn::LoopOptions loop{"generator", fingerprint(generator, discriminator, train, options),
                             options.steps, options.checkpoint, options.checkpoint_seconds};
  const nn::LoopSummary summary = adversaries.run(loop, progress);
  return {summary, adversaries.distance(), adversaries.chosen_step()};
}

std::string_view name_of(GanLoss loss) { return loss == GanLoss::original ? "original" : "hinge"; }

}  // namespace whence::models
