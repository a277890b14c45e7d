// What the kind "generator" adds to a recipe.
#include "kinds/generator/generator.h"
#include "whence/core/error.h"

namespace whence::kinds {
namespace {

using namespace config;
using Vae = models::VaeTraining;
using Gan = models::GanTraining;
using Changes = models::SharedAugmentation;

constexpr std::int64_t kMany = 1'000'000'000;
constexpr double kLarge = 1e9;
constexpr auto kVae = &GeneratorTraining::vae;
constexpr auto kGan = &GeneratorTraining::gan;
constexpr auto kChanges = &Gan::augmentation;
constexpr auto kInverse = &GeneratorTraining::inverse;

/// Of an encoder for a generator without one.
std::vector<Key> encoder_keys() {
  using Inverse = models::InverseTraining;
  return {
      {"encoder_steps", Integer{at(kInverse, &Inverse::steps), 0, kMany}, "",
       "Of a GAN or generator.file: steps of training an encoder for the finished generator, which stays as "
       "it is. It has the architecture and the width that generator.architecture and generator.width name, "
       "and minimises SSE + encoder_kl_weight KL + encoder_sleep_weight x the sleep phase. Images then have "
       "codes, as morphs and path methods need them. 0: no encoder."},
      {"encoder_kl_weight", Number{at(kInverse, &Inverse::kl_weight), 0, kLarge}, "",
       "Weight of the KL of the encoder's posteriors from N(0, I) against SSE."},
      {"encoder_sleep_weight", Number{at(kInverse, &Inverse::sleep_weight), 0, kLarge}, "",
       "Weight of -log q(z | g(z)) of draws z from N(0, I), in nats: the generator's own samples get their "
       "codes back (the sleep phase of Hinton et al. 1995). 0 leaves it out."},
      {"encoder_batch", Integer{at(kInverse, &Inverse::batch), 1, 65'536}, "images",
       "Images of one step of the encoder's training, and as many samples of the generator."},
      {"encoder_learning_rate", Number{at(kInverse, &Inverse::learning_rate), 0, 100, true}, "",
       "Adam's learning rate in it, the largest of a one-cycle schedule."}};
}

void check_encoder_keys(const config::Values& values, const std::string& file) {
  if (values.get<GeneratorTraining>().inverse.steps == 0 || trains_inverse(values)) return;
  fail_usage(
      "{}: generator.encoder_steps is for a generator without an encoder, generator.objective = \"gan\" or "
      "generator.file, with generator.latents above 0; an autoencoder has an encoder of its own, so leave it "
      "out",
      file);
}

}  // namespace

config::Section generator_section() {
  config::Section section{
      "generator",
      "With latents above 0, the generator is trained alone, by these keys.",
      {{"objective", choice(at(&GeneratorTraining::objective), {"vae", "gan"}), "",
        "A variational autoencoder (Kingma & Welling 2014), which minimises SSE + kl_weight KL, or a "
        "generative "
        "adversarial network (Goodfellow et al. 2014), which has no encoder of its own (encoder_steps)."},
       {"kl_weight", Number{at(kVae, &Vae::kl_weight), 0, kLarge}, "",
        "Weight of the KL against SSE (beta of Higgins et al. 2017). The 0.0005 of Besserve et al. 2020 go "
        "with the mean "
        "squared error of images in [-1, 1]; that is 1.536 here for 64 x 64 x 3, and 0.384 for 32 x 32 x 3."},
       {"steps", Integer{at(kVae, &Vae::steps), 1, kMany}, "", "Steps of training."},
       {"batch", Integer{at(kVae, &Vae::batch), 1, 65'536}, "images", "Images of one step."},
       {"learning_rate", Number{at(kVae, &Vae::learning_rate), 0, 100, true}, "",
        "Adam's learning rate; the largest of the schedule."},
       {"schedule", choice(at(kVae, &Vae::schedule), names_to(nn::Schedule::one_cycle)), "",
        "How the learning rate of an autoencoder changes over the steps; a GAN's does not."},
       {"warmup", Number{at(kVae, &Vae::warmup), 0, 1}, "share of the steps",
        "When a one-cycle schedule reaches its largest learning rate."},
       {"beta1", Number{at(kVae, &Vae::beta1), 0, 0.999999}, "", "Adam's decay of the mean gradient."},
       {"beta2", Number{at(kVae, &Vae::beta2), 0, 0.999999}, "",
        "Adam's decay of the mean squared gradient."},
       {"feature_weight", Number{at(&GeneratorTraining::feature_weight), 0, kLarge}, "",
        "Of an autoencoder: weight of the squared difference between the classifier's features of a "
        "reconstruction and of its image, in deviations, mean over each layer's values and summed over "
        "layers. "
        "Above 0 the reconstructions keep the classifier's answers; an independent classifier is trained to "
        "judge that."},
       {"feature_layers", Texts{at(&GeneratorTraining::feature_layers)}, "",
        "The classifier's layers that feature_weight compares; an empty list takes the last ones whose maps "
        "are "
        "half, a quarter and an eighth of the image's height."},
       {"whiten", Toggle{at(&GeneratorTraining::whiten)}, "",
        "Of an autoencoder: after the training the basis of the latents is changed so that the codes of the "
        "training images have the mean and the covariance of the prior N(0, I). Reconstructions stay "
        "the same, and draws from the prior become like them."},
       {"loss", choice(at(kGan, &Gan::loss), names_to(models::GanLoss::hinge)), "",
        "Of a GAN: original, in the form that does not saturate (Goodfellow et al. 2014), or hinge (Lim & Ye "
        "2017)."},
       {"real_label", Number{at(kGan, &Gan::real_label), 0, 1, true}, "",
        "The original loss's target of real images; below 1 the discriminator is never certain (Salimans et "
        "al. 2016)."},
       {"spectral_norm", Toggle{at(kGan, &Gan::spectral_norm)}, "",
        "Divides each weight of the discriminator by its largest singular value (Miyato et al. 2018), "
        "instead of batch "
        "norm. On 8,000 faces it did worse."},
       {"average", Number{at(kGan, &Gan::average), 0, 0.999999}, "",
        "A GAN's generator is the running average of its weights, which keeps this share each step (Yazici "
        "et al. 2019)."},
       {"discriminator_width", Integer{at(&GeneratorTraining::discriminator_width), 0, 1024}, "channels",
        "Channels of the discriminator's first convolution; 0: 32."},
       {"augment_colour", Toggle{at(kGan, kChanges, &Changes::colour)}, "",
        "Shows the discriminator real and generated images in random colours, for small sets (Zhao et al. "
        "2020)."},
       {"augment_translation", Toggle{at(kGan, kChanges, &Changes::translation)}, "",
        "The same, moved by up to 1/8 of each side."},
       {"augment_cutout", Toggle{at(kGan, kChanges, &Changes::cutout)}, "",
        "The same, with a random square of half the side left grey."},
       {"candidate_steps", Integer{at(kGan, &Gan::candidate_steps), 0, kMany}, "steps",
        "Steps of a GAN between candidates. The one whose samples are nearest to validation images (Frechet "
        "distance) is kept, "
        "because long trainings break off. 0 keeps the last."},
       {"features", Text{at(&GeneratorTraining::features)}, "",
        "The classifier's layer whose outputs compare samples with images. Empty: the last hidden layer."},
       {"compared_images", Integer{at(&GeneratorTraining::compared_images), 2, 100'000}, "images",
        "Test images, and as many samples, that are compared."}}};
  for (Key& key : encoder_keys()) section.keys.push_back(std::move(key));
  return section;
}

void check_generator(const config::Values& values, const std::string& file) {
  const auto& training = values.get<GeneratorTraining>();
  const auto& generator = values.get<experiment::GeneratorOptions>();
  if (training.feature_weight > 0 && !keeps_answers(values))
    fail_usage(
        "{}: generator.feature_weight is for an autoencoder that is trained alone; set generator.latents and "
        "generator.objective = \"vae\", or leave it out",
        file);
  if (training.whiten && !trains_autoencoder(values))
    fail_usage(
        "{}: generator.whiten is for an autoencoder that is trained alone; set generator.latents and "
        "generator.objective = \"vae\", or leave it out",
        file);
  if (!generator.file.empty() && generator.latents == 0)
    fail_usage("{}: generator.file needs generator.latents, the number that your decoder takes", file);
  check_encoder_keys(values, file);
  if (training.objective == GeneratorObjective::vae) return;
  if (generator.latents == 0)
    fail_usage(
        "{}: generator.objective = \"gan\" needs generator.latents above 0; an explanation trains its own "
        "autoencoder",
        file);
  if (!generator.start.empty())
    fail_usage("{}: generator.start is for autoencoders; leave it out, or use generator.objective = \"vae\"",
               file);
}

}  // namespace whence::kinds
