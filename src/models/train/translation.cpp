#include "whence/models/train/translation.h"

#include <torch/csrc/autograd/autograd.h>

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

/// The scores of images in [0, 1] as images of the classes `labels`, (N, 1).
at::Tensor class_scores(const nn::Network& discriminator, const at::Tensor& images, const at::Tensor& labels,
                        const nn::Execution& execution) {
  return discriminator.forward(images * 2 - 1, execution).gather(1, labels.unsqueeze(1));
}

at::Tensor mean_difference(const at::Tensor& one, const at::Tensor& other) {
  return (one - other).abs().mean();
}

/// Mean of -log p(label).
at::Tensor surprise(const Classifier& classifier, const at::Tensor& images, const at::Tensor& labels) {
  return -classifier.logits(images).log_softmax(1).gather(1, labels.unsqueeze(1)).mean();
}

/// Of one part of a step's batch.
struct TranslatedPart {
  at::Tensor images, from, to;  ///< its rows
  double share;                 ///< of the batch
  Translation first;            ///< with the translator's graph
  at::Tensor judged;            ///< its share of the discriminator's loss
  TranslationLoss loss;
  std::vector<at::Tensor> gradients;
};

/// `total` is left out.
void add_shares(TranslationLoss& sum, const TranslatedPart& part) {
  for (at::Tensor TranslationLoss::*term :
       {&TranslationLoss::adversarial, &TranslationLoss::cycle, &TranslationLoss::identity,
        &TranslationLoss::classifier, &TranslationLoss::mask})
    add_share(sum.*term, part.share * part.loss.*term);
}

std::vector<std::vector<at::Tensor>> gradients_of(const std::vector<TranslatedPart>& parts) {
  std::vector<std::vector<at::Tensor>> all;
  for (const TranslatedPart& part : parts) all.push_back(part.gradients);
  return all;
}

class Translators {
 public:
  Translators(nn::Network& translator, nn::Network& discriminator, const Classifier* classifier,
              const data::Dataset& train, const TranslatorTraining& options)
      : translator_(translator),
        discriminator_(discriminator),
        classifier_(options.weights.classifier > 0 ? classifier : nullptr),
        options_(options),
        classes_(train.classes()),
        batches_(train, std::min(options.batch, train.size()), options.seed, /*drop_last=*/true,
                 translator.device()),
        average_(begin()),
        of_translator_({&translator}, nn::Adam{options.beta1, options.beta2}) {
    Generator vectors = make_generator(options.seed, "translator/spectral");
    trained_.emplace(discriminator, options.spectral_norm ? &vectors : nullptr,
                     nn::Adam{options.beta1, options.beta2});
  }

  nn::Readings step(std::int64_t index) {
    Generator draws = make_generator(options_.seed, fmt::format("translator/step/{}", index));
    const data::Batch batch = batches_.at(index);
    const at::Tensor other =
        at::randint(1, classes_, batch.labels.sizes(), draws, draws_of(draws).dtype(at::kLong))
            .to(batch.labels.device());
    const at::Tensor to = (batch.labels + other).remainder(classes_);
    const bool one = classifier_ != nullptr && classifier_->network() == nullptr;
    Exchange exchange(one ? 1 : parts_of(batch.images));
    std::vector<TranslatedPart> parts = parts_of_batch(batch, to, exchange.parts());
    const at::Tensor judged = train_discriminator(parts, exchange);
    const TranslationLoss loss = train_translation(parts, exchange);
    move_average(average_, translator_, options_.average);
    return smoothed_.update({{"discriminator", judged},
                             {"adversarial", loss.adversarial},
                             {"cycle", loss.cycle},
                             {"identity", loss.identity},
                             {"classifier", loss.classifier},
                             {"mask", loss.mask}});
  }

  nn::LoopSummary run(nn::LoopOptions loop, const ProgressCallback& progress) {
    loop.state = trained_->state();
    const nn::LoopSummary summary = nn::run_training(
        loop, {&translator_, &discriminator_, &average_}, {&of_translator_, &trained_->optimizer()},
        [&](std::int64_t index) { return step(index); }, progress);
    translator_.load_state(average_.state());
    return summary;
  }

 private:
  /// Initialises both networks; returns the average's first value.
  nn::Network begin() {
    Generator weights = make_generator(options_.seed, "translator/weights");
    initialise_adversary(translator_, weights);
    initialise_adversary(discriminator_, weights);
    return translator_.clone("average-" + translator_.name());
  }

  static std::vector<TranslatedPart> parts_of_batch(const data::Batch& batch, const at::Tensor& to,
                                                    std::int64_t count) {
    std::vector<TranslatedPart> parts;
    for (std::int64_t part = 0; part < count; ++part) {
      const Rows rows = part_of(to.size(0), part, count);
      const auto own = [&](const at::Tensor& all) { return all.narrow(0, rows.first, rows.count); };
      parts.push_back({own(batch.images),
                       own(batch.labels),
                       own(to),
                       static_cast<double>(rows.count) / static_cast<double>(to.size(0)),
                       {},
                       {},
                       {},
                       {}});
    }
    return parts;
  }

  nn::Execution execution(Exchange& exchange, std::int64_t part) const {
    return {options_.precision, /*training=*/true, nullptr, {&exchange, part}};
  }

  /// Leaves the translations behind, for train_translation.
  at::Tensor train_discriminator(std::vector<TranslatedPart>& parts, Exchange& exchange) {
    trained_->prepare();
    run_parts(exchange, [&](std::int64_t part) {
      TranslatedPart& own = parts[static_cast<std::size_t>(part)];
      const nn::Execution how = execution(exchange, part);
      own.first = translate(translator_, own.images, class_weights(own.to, classes_), how);
      const at::Tensor of_real = class_scores(trained_->judge(), own.images, own.from, how),
                       of_fake = class_scores(trained_->judge(), own.first.images.detach(), own.to, how);
      own.judged = own.share * discriminator_loss(options_.loss, options_.real_label, of_real, of_fake);
      own.gradients = trained_->gradients(own.judged);
    });
    trained_->step(gradients_of(parts), options_.learning_rate);
    at::Tensor judged;
    for (const TranslatedPart& part : parts) add_share(judged, part.judged);
    return judged;
  }

  TranslationLoss train_translation(std::vector<TranslatedPart>& parts, Exchange& exchange) {
    run_parts(exchange, [&](std::int64_t part) {
      TranslatedPart& own = parts[static_cast<std::size_t>(part)];
      own.loss = translation_loss(translator_, trained_->judge(), classifier_, own.images, own.from, own.to,
                                  own.first, options_, execution(exchange, part));
      own.gradients = torch::autograd::grad({own.share * own.loss.total}, of_translator_.parameters());
    });
    of_translator_.set_gradients(gradients_of(parts));
    of_translator_.step(options_.learning_rate);
    TranslationLoss sum;
    for (const TranslatedPart& part : parts) add_shares(sum, part);
    return sum;
  }

  nn::Network &translator_, &discriminator_;
  const Classifier* classifier_;
  const TranslatorTraining& options_;
  std::int64_t classes_;
  data::Batches batches_;
  nn::Network average_;
  nn::Optimizer of_translator_;
  std::optional<TrainedDiscriminator> trained_;  ///< the discriminator, once it has its first weights
  nn::SmoothedReadings smoothed_;
};

std::string fingerprint_of(const nn::Network& translator, const nn::Network& discriminator,
                           const data::Dataset& train, const TranslatorTraining& options) {
  const TranslationWeights& weights = options.weights;
  return fmt::format(
      "{} {} + {} {} parameters, {} images of {} classes, {} loss, real label {}, spectral norm {}, weights "
      "{} {} {} {}, average {}, {} steps of {}, adam {} {} {}, seed {}, {}",
      translator.name(), translator.parameter_count(), discriminator.name(), discriminator.parameter_count(),
      train.size(), train.classes(), name_of(options.loss), options.real_label, options.spectral_norm,
      weights.cycle, weights.identity, weights.classifier, weights.mask, options.average, options.steps,
      options.batch, options.learning_rate, options.beta1, options.beta2, options.seed,
      name_of(options.precision));
}

void check_translation(const nn::Network& discriminator, const Classifier* classifier,
                       const data::Dataset& train, const TranslatorTraining& options) {
  if (train.classes() < 2) fail_usage("a translator needs images of two classes or more");
  TORCH_CHECK(discriminator.output_shape() == nn::Shape{train.classes()},
              "train_translator: the discriminator must give one score a class");
  TORCH_CHECK(classifier != nullptr || options.weights.classifier == 0,
              "train_translator: a weight of the classifier's answer, but no classifier");
  if (options.spectral_norm && discriminator.mixes_samples())
    fail_usage("spectral norm needs a discriminator without batch norm, which would undo it");
}

}  // namespace

TranslationLoss translation_loss(const nn::Network& translator, const nn::Network& discriminator,
                                 const Classifier* classifier, const at::Tensor& x, const at::Tensor& from,
                                 const at::Tensor& to, const Translation& first,
                                 const TranslatorTraining& options, const nn::Execution& execution) {
  const TranslationWeights& weights = options.weights;
  const at::Tensor self = class_weights(from, discriminator.output_shape()[0]).to(x.scalar_type()),
                   none = at::zeros({}, x.options());
  TranslationLoss loss;
  loss.adversarial = generator_loss(options.loss, class_scores(discriminator, first.images, to, execution));
  loss.cycle = weights.cycle > 0
                   ? mean_difference(translate(translator, first.images, self, execution).images, x)
                   : none;
  loss.identity =
      weights.identity > 0 ? mean_difference(translate(translator, x, self, execution).images, x) : none;
  loss.classifier = weights.classifier > 0 ? surprise(*classifier, first.images, to) : none;
  loss.mask = first.mask.mean();
  loss.total = loss.adversarial + weights.cycle * loss.cycle + weights.identity * loss.identity +
               weights.classifier * loss.classifier + weights.mask * loss.mask;
  return loss;
}

nn::LoopSummary train_translator(nn::Network& translator, nn::Network& discriminator,
                                 const Classifier* classifier, const data::Dataset& train,
                                 const TranslatorTraining& options, const ProgressCallback& progress) {
  check_translation(discriminator, classifier, train, options);
  Translators translators(translator, discriminator, classifier, train, options);
  return translators.run({"translator", fingerprint_of(translator, discriminator, train, options),
                          options.steps, options.checkpoint, options.checkpoint_seconds},
                         progress);
}

}  // namespace whence::models
