// What the kind "morphing" adds to a recipe.
#include <algorithm>
#include <set>

#include "kinds/morphing/morphing.h"

namespace whence::kinds {
namespace {

/// Keys of the study, not of how a morph is made.
constexpr std::string_view kOfTheStudy[] = {"images", "target", "components", "entropy_pairs"};

/// Names that keys point to.
std::string_view interned(const std::string& name) {
  static std::set<std::string> names;
  return *names.insert(name).first;
}

}  // namespace

config::Section morphing_section() {
  using namespace config;
  using counterfactual::AnchoredSearch, counterfactual::MorphOptions, counterfactual::PublishedSearch;
  constexpr auto kSearch = &MorphingOptions::search;
  constexpr auto kAnchored = &MorphOptions::anchored;
  constexpr auto kPublished = &MorphOptions::published;
  return {
      "morphing",
      "Semantic morphing: what an image would be as another class, found in the codes of the autoencoder "
      "(Parafita 2018). Needs a generator with an encoder. The methods path_mask and "
      "path_integrated_gradients of [attribution] make their morphs by these keys, too.",
      {{"images", Integer{at(&MorphingOptions::images), 0, 1'000'000'000}, "images",
        "Test images, drawn at random, that are morphed; 0: no morphs."},
       {"target", Text{at(&MorphingOptions::target)}, "CLASS",
        "The class that an image is turned into: \"second\" (its second most probable one), \"every\" (each "
        "of the others in turn) or "
        "the name of a class."},
       {"method",
        choice(at(kSearch, &MorphOptions::method), names_to(counterfactual::MorphMethod::published)), "",
        "anchored starts on the way to the code of a training image of the other class; published is the "
        "thesis' descent from the image's own code."},
       {"start", Number{at(kSearch, kAnchored, &AnchoredSearch::start), 0, 1}, "",
        "Where on the way to that code the search starts: 0 is the image's own code, 1 the training image's. "
        "Later starts end among more images of the other class, and farther from the image (anchored)."},
       {"entropy", Number{at(kSearch, &MorphOptions::entropy), 0, 1, true}, "bits",
        "A morph is finished when the entropy of its two classes is below this and the other class has more "
        "than half of the "
        "probability."},
       {"fallback", Toggle{at(kSearch, &MorphOptions::fallback)}, "",
        "Where a morph is not finished, takes the surest image on the way if it is as sure as half of the "
        "training images of its class, "
        "else the nearest training code of that class."},
       {"iterations", Integer{at(kSearch, kAnchored, &AnchoredSearch::iterations), 1, 1'000'000}, "",
        "Iterations from one start, at most (anchored)."},
       {"anchors", Integer{at(kSearch, kAnchored, &AnchoredSearch::anchors), 1, 1000}, "codes",
        "Training codes that a search starts from, one after the other, until the morph is finished "
        "(anchored)."},
       {"lead", Number{at(kSearch, kAnchored, &AnchoredSearch::lead), 0, 1e6}, "logits",
        "Lead of the other class beyond which more is not asked for (anchored)."},
       {"norm_weight", Number{at(kSearch, kAnchored, &AnchoredSearch::norm_weight), 0, 1e9}, "",
        "Weight of the penalty on codes whose norm is more than one deviation from that of the other class "
        "(anchored)."},
       {"learning_rate", Number{at(kSearch, kAnchored, &AnchoredSearch::learning_rate), 0, 100, true}, "",
        "Adam's, at the start of a cosine decay (anchored)."},
       {"published_iterations", Integer{at(kSearch, kPublished, &PublishedSearch::iterations), 1, 1'000'000},
        "", "Iterations at most (published)."},
       {"published_weight", Number{at(kSearch, kPublished, &PublishedSearch::likelihood_weight), 0, 1e9}, "",
        "Weight of the squared distance of the code's norm from the class's mean norm (published): 0.1 for "
        "MNIST, 10 for notMNIST and "
        "Fashion-MNIST."},
       {"published_learning_rate",
        Number{at(kSearch, kPublished, &PublishedSearch::learning_rate), 0, 100, true}, "",
        "Adam's (published)."},
       {"residual", Toggle{at(kSearch, &MorphOptions::residual)}, "",
        "Adds to a morph what the reconstruction of its image lacks: for generators whose reconstructions "
        "are "
        "near but not sharp. The morph then starts from the image itself."},
       {"draws", Integer{at(kSearch, &MorphOptions::draws), 1, 100'000}, "draws",
        "Draws of the posterior from which an image's code is chosen, where the posterior's mean does not "
        "keep the answer."},
       {"refinement", Integer{at(kSearch, &MorphOptions::refinement), 0, 1'000'000}, "iterations",
        "Iterations of Adam on an image's code, from the encoder's answer on, that bring its decoding nearer "
        "to the image (Zhu et al. 2016). For an encoder that was trained for a frozen generator "
        "(generator.encoder_steps)."},
       {"known", Integer{at(&MorphingOptions::known), 2, 1'000'000'000}, "images",
        "Training images whose codes are starts, norms and neighbours."},
       {"components", Integer{at(&MorphingOptions::components), 1, 100'000}, "",
        "Principal components of the linear autoencoder of each class, which the measures IM1 and IM2 "
        "need."},
       {"entropy_pairs", Integer{at(&MorphingOptions::entropy_pairs), 0, 1'000'000}, "pairs",
        "Pairs of training images of two classes. Along the path between their codes, in 100 steps, the "
        "entropy of the two classes is compared with the size of the gradient (Parafita 2018, section 4.4); "
        "0 leaves this out."}}};
}

std::vector<config::Key> morph_keys(const std::string& prefix) {
  std::vector<config::Key> keys = morphing_section().keys;
  std::erase_if(keys, [](const config::Key& key) {
    return std::find(std::begin(kOfTheStudy), std::end(kOfTheStudy), key.name) != std::end(kOfTheStudy);
  });
  for (config::Key& key : keys) key.name = interned(prefix + std::string(key.name));
  return keys;
}

}  // namespace whence::kinds
