// The keys.
#include "kinds/translation/translation.h"

namespace whence::kinds {

config::Section translation_section() {
  using namespace config;
  using O = TranslationOptions;
  using models::TranslationWeights, models::TranslatorTraining;
  constexpr auto kTraining = &O::training;
  constexpr auto kWeights = &TranslatorTraining::weights;
  return {
      "translation",
      "Image translation between the classes: one network learns to turn an image of any class into any "
      "other and to keep the rest ([translation.md](translation.md)). It needs no generator. Beside an "
      "autoencoder its translations stand in the table of morphs, too.",
      {{"steps", Integer{at(kTraining, &TranslatorTraining::steps), 0, 1'000'000'000}, "",
        "Steps of its training; 0: no translator."},
       {"images", Integer{at(&O::images), 1, 1'000'000'000}, "images",
        "Test images, drawn at random, that are translated."},
       {"target", Text{at(&O::target)}, "CLASS",
        "The class that an image is turned into: \"second\" (its second most probable one), \"every\" (each "
        "of the others in turn) or the name of a class."},
       {"width", Integer{at(&O::width), 0, 1024}, "channels",
        "Channels of the translator's first convolution; 0: 32. The discriminator has as many."},
       {"batch", Integer{at(kTraining, &TranslatorTraining::batch), 1, 1'000'000}, "images", "Of a step."},
       {"learning_rate", Number{at(kTraining, &TranslatorTraining::learning_rate), 0, 10, true}, "",
        "Adam's, of translator and discriminator."},
       {"cycle_weight", Number{at(kTraining, kWeights, &TranslationWeights::cycle), 0, 1e6}, "",
        "Weight of the mean absolute difference between an image and its translation translated back."},
       {"identity_weight", Number{at(kTraining, kWeights, &TranslationWeights::identity), 0, 1e6}, "",
        "Weight of the mean absolute difference between an image and its translation to its own class."},
       {"class_weight", Number{at(kTraining, kWeights, &TranslationWeights::classifier), 0, 1e6}, "",
        "Weight of -log p of the asked class by the explained classifier; 0: it takes no part, and the "
        "translator learns from the images alone."},
       {"mask_weight", Number{at(kTraining, kWeights, &TranslationWeights::mask), 0, 1e6}, "",
        "Weight of the mask's mean, the share of an image that a translation may change."},
       {"average", Number{at(kTraining, &TranslatorTraining::average), 0, 0.999999}, "",
        "Of the translator's weights: they become average x old + (1 - average) x new with each step, and "
        "this running average is the trained translator."}}};
}

}  // namespace whence::kinds
