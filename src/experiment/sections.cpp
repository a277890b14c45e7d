#include "experiment/recipe_keys.h"

#include "whence/data/known.h"

namespace whence::experiment {
namespace {

constexpr std::int64_t kMany = 1'000'000'000;
constexpr double kLarge = 1e9;

/// A choice stored in what `at` refers to: an enum or a bool whose values are 0, 1, ...
template <auto at>
Choice choice(std::vector<std::string_view> names) {
  return {std::move(names), [](Recipe& recipe) { return static_cast<std::size_t>(at(recipe)); },
          [](Recipe& recipe, std::size_t index) {
            auto& field = at(recipe);
            field = static_cast<std::remove_reference_t<decltype(field)>>(index);
          }};
}

template <class Architecture>
std::vector<std::string_view> names_of(std::span<const Architecture> architectures) {
  std::vector<std::string_view> names;
  for (const Architecture& architecture : architectures) names.push_back(architecture.name);
  return names;
}

std::vector<std::string_view> sampling_names() {
  return {flow::name_of(flow::Sampling::nested), flow::name_of(flow::Sampling::crossed)};
}
std::vector<std::string_view> outer_draws_names() {
  using enum flow::Placement;
  return {flow::name_of(independent), flow::name_of(antithetic), flow::name_of(sobol),
          flow::name_of(stratified)};
}
std::vector<std::string_view> correction_names() {
  return {flow::name_of(flow::Correction::none), flow::name_of(flow::Correction::delta),
          flow::name_of(flow::Correction::jackknife)};
}
std::vector<std::string_view> factor_draws_names() {
  return {flow::name_of(flow::FactorDraws::own), flow::name_of(flow::FactorDraws::shared)};
}
std::vector<std::string_view> inference_names() {
  return {gce::name_of(gce::Inference::averaged), gce::name_of(gce::Inference::variational)};
}
std::vector<std::string_view> latents_names() {
  return {gce::name_of(gce::Latents::prior), gce::name_of(gce::Latents::posterior)};
}
std::vector<std::string_view> objective_names() {
  using enum gce::Objective;
  return {gce::name_of(joint_unconditional), gce::name_of(joint_conditional),
          gce::name_of(independent_unconditional), gce::name_of(independent_conditional)};
}
std::vector<std::string_view> initial_names() {
  return {gce::name_of(gce::InitialWeights::published), gce::name_of(gce::InitialWeights::he)};
}
std::vector<std::string_view> schedule_names() {
  return {gce::name_of(gce::Schedule::constant), gce::name_of(gce::Schedule::one_cycle)};
}

// Accessors are generated: one line a key would otherwise be three.
// NOLINTBEGIN(bugprone-macro-parentheses): a lambda in parentheses would still be one, a field would not be a name
#define AT(field) \
  [](Recipe & r) -> auto& { return r.field; }
// NOLINTEND(bugprone-macro-parentheses)

std::vector<Key> make_keys() {
  const double inf = std::numeric_limits<double>::infinity();
  return {
      {"title", Text{AT(title)}, "",
       "What the experiment is called in the report; the file's name by default."},
      {"source", Text{AT(source)}, "", "The text the experiment is from."},

      {"data.set", Text{AT(data.set)}, "",
       "The data set: one that `whence data list` names, or of your own \"idx\" (four IDX files) or "
       "\"pictures\" "
       "(PNG and JPEG, a folder for each class)."},
      {"data.path", Path{AT(data.path)}, "",
       "The folder with the set's files; empty looks in WHENCE_DATA, ./data, where `whence data fetch` and "
       "Debian's packages put it."},
      {"data.classes", Integers{AT(data.classes), 0, 255}, "",
       "The classes to use, by their number in the set (pictures: of their folders, in the order of their "
       "names); an "
       "empty list uses all. With classifier.file: what its columns stand for, in their order."},
      {"data.class_names", Texts{AT(data.class_names)}, "",
       "With set = \"idx\": the names of the classes, label 0 first."},
      {"data.size", Integers{AT(data.form.size), 1, 4096}, "pixels",
       "[height, width] that images are brought to: scaled to cover it, then cut evenly; an empty list keeps "
       "their size."},
      {"data.colours", choice<AT(data.form.colours)>({"as-they-are", "grey", "rgb"}), "",
       "Makes images grey, or gives grey ones three equal channels."},

      {"classifier.architecture",
       choice<AT(classifier.architecture)>(names_of(models::classifier_architectures())), "",
       "The classifier to train and explain; see the architectures below."},
      {"classifier.file", Path{AT(classifier.file)}, "",
       "A TorchScript classifier to explain instead of training one; the keys of its training are then "
       "unused."},
      {"classifier.output", choice<AT(classifier.output)>({"auto", "logits", "probabilities"}), "",
       "What that classifier returns; auto takes rows that are probabilities as such."},
      {"classifier.width", Integer{AT(classifier.network.width), 0, 1024}, "channels",
       "Channels of the first convolution, to which the others are in the text's proportion; 0 takes the "
       "text's."},
      {"classifier.channel_dropout", Toggle{AT(classifier.network.channel_dropout)}, "",
       "The base CNN drops whole channels with 0.25 after the pooling (GCE-B) instead of single values with "
       "0.5 (GCE-A, GCE-C)."},
      {"classifier.epochs", Integer{AT(classifier.training.epochs), 0, 100'000}, "",
       "Passes over the training images. 0 leaves random weights: a classifier whose explanation must differ "
       "from a "
       "trained one's."},
      {"classifier.validation", Toggle{AT(classifier.on_validation)}, "",
       "Trains it on the set's validation images, too, where it has some. Its own "
       "settings cannot be chosen on them then."},
      {"classifier.batch", Integer{AT(classifier.training.batch), 1, 65'536}, "images",
       "Images of one step."},
      {"classifier.optimizer", choice<AT(classifier.training.optimizer)>({"sgd", "adam"}), "",
       "Stochastic gradient descent with momentum, or Adam (0.9, 0.999)."},
      {"classifier.learning_rate", Number{AT(classifier.training.learning_rate), 0, 100, true}, "",
       "Learning rate of the first epoch; the largest of a one-cycle schedule."},
      {"classifier.momentum", Number{AT(classifier.training.momentum), 0, 0.9999}, "",
       "Momentum of the gradient descent."},
      {"classifier.weight_decay", Number{AT(classifier.training.weight_decay), 0, 1}, "",
       "Pulls the weights (not biases and batch norms) to 0; with Adam as in AdamW."},
      {"classifier.schedule", choice<AT(classifier.training.schedule)>({"decay", "one-cycle"}), "",
       "Whether the learning rate falls by a factor each epoch, or rises and falls once over all steps."},
      {"classifier.decay", Number{AT(classifier.training.decay), 0, 1, true}, "",
       "Factor on the learning rate after each epoch (schedule decay)."},
      {"classifier.warmup", Number{AT(classifier.training.warmup), 0, 1}, "share of the steps",
       "When a one-cycle schedule reaches its largest learning rate."},
      {"classifier.label_smoothing", Number{AT(classifier.training.label_smoothing), 0, 0.9999}, "",
       "Share of each training target that goes to all classes alike: answers that are less sure and often "
       "more "
       "accurate."},
      {"classifier.flip", Toggle{AT(classifier.training.augmentation.flip)}, "",
       "Mirrors training images at random, left to right."},
      {"classifier.crop", Integer{AT(classifier.training.augmentation.crop), 0, 64}, "pixels",
       "Shifts training images at random by up to so much each way, black coming in."},
      {"classifier.cutout", Integer{AT(classifier.training.augmentation.cutout), 0, 256}, "pixels",
       "Side of a square that is blacked out in each training image, anywhere; 0: none."},

      {"generator.architecture",
       choice<AT(generator.architecture)>(names_of(models::autoencoder_architectures())), "",
       "The variational autoencoder that becomes the explanation; see the architectures below."},
      {"generator.width", Integer{AT(generator.network.width), 0, 4096}, "channels",
       "Channels of the first convolution, to which the others are in the text's proportion; 0 takes the "
       "text's."},
      {"generator.initialisation", choice<AT(explanation.initial)>(initial_names()), "",
       "The weights that training begins with: the text's, with which deep networks pass on next to nothing "
       "at "
       "first, or those of He et al. 2015, which keep a signal's size."},
      {"generator.start", Path{AT(start)}, "",
       "A run folder, or a folder with encoder.safetensors and decoder.safetensors, whose weights the "
       "training "
       "begins with (fine-tuning); K + L must be the same. The first K latents are the alphas, as they are "
       "in an "
       "explanation; of an autoencoder explanation.pretraining = 1 takes those that move the classifier "
       "most. Empty "
       "begins with random ones."},
      {"generator.dropout", Number{AT(generator.network.dropout), 0, 0.9999}, "",
       "Share of the hidden features that PATHMASK's autoencoders leave out in training; the listings leave "
       "out "
       "half, which spoils the images of CIFAR-10. The other architectures have no dropout."},
      {"generator.latents", Integer{AT(generator.latents), 0, 4096}, "latents",
       "When above 0, an autoencoder with so many latents is trained alone, beside the classifier, and "
       "nothing "
       "is explained: objective, sampling, K, L, lambda and the other weights are then unused."},

      {"explanation.causal", Integer{AT(explanation.causal), 1, 1024}, "latents",
       "K, the number of causal factors alpha."},
      {"explanation.noncausal", Integer{AT(explanation.noncausal), 0, 1024}, "latents",
       "L, the number of other factors beta."},
      {"explanation.lambda", Number{AT(explanation.lambda), 0, kLarge}, "",
       "Weight of SSE + KL against the causal term C; larger keeps images better and moves the classifier "
       "less."},
      {"explanation.causal_weight", Number{AT(explanation.causal_weight), 0, kLarge}, "",
       "Weight of the causal term C; 0 (and no other weight than lambda) trains a plain variational "
       "autoencoder, a start for "
       "others."},
      {"explanation.leak_penalty", Number{AT(explanation.leak_penalty), 0, kLarge}, "",
       "Weight of I(beta; Y), what leaks into the other factors, which is subtracted from the objective."},
      {"explanation.answer_weight", Number{AT(explanation.answer_weight), 0, kLarge}, "",
       "Weight of the Kullback-Leibler divergence, in nats, from the classifier's answer to an image to its "
       "answer to "
       "the image's reconstruction, which is subtracted from the objective: images come back as what they "
       "are. 0, as in "
       "the texts, asks SSE alone."},
      {"explanation.manifold_weight", Number{AT(explanation.manifold_weight), 0, kLarge}, "",
       "Weight of the squared error between what the causal term draws and what the pretrained autoencoder "
       "makes of it, "
       "which is subtracted from the objective: patterns that no image has do not come back from it. Needs "
       "explanation.pretraining. 0, as in the texts, asks the classifier alone."},
      {"explanation.objective", choice<AT(explanation.effect.objective)>(objective_names()), "",
       "The causal term (O'Shaughnessy et al. 2020, section 3.3). The independent ones also average over the "
       "other alphas and need more draws: with 16 x 2 crossed ones and no correction C ended at 0.57 in "
       "training where 0.38 were measured (Fashion-MNIST 0/3/4, K = 2)."},
      {"explanation.inference", choice<AT(explanation.effect.inference)>(inference_names()), "",
       "What tells the classes that an alpha brings in training: averages over the draws of beta, or a small "
       "network trained beside (the variational bound; sampling may then be nested with 1 draw of beta)."},
      {"explanation.latents", choice<AT(explanation.effect.latents)>(latents_names()), "",
       "Which latents the causal term is asked about: draws of the prior N(0, I), as published, or the "
       "posterior's of "
       "the step's images, each image's alphas with the betas of others, which keeps generated images near "
       "the data."},
      {"explanation.sampling", choice<AT(explanation.effect.estimator.sampling)>(sampling_names()), "",
       "Whether each draw of alpha has its own draws of beta (nested, as published) or all share them "
       "(crossed)."},
      {"explanation.outer_draws", choice<AT(explanation.effect.estimator.outer_draws)>(outer_draws_names()),
       "",
       "How the draws of alpha are spread: independent, as published; in pairs a, -a; scrambled Sobol "
       "points; or "
       "one from each cell of equal probability (least noise)."},
      {"explanation.correction", choice<AT(explanation.effect.estimator.correction)>(correction_names()), "",
       "Bias correction of the causal term in training."},
      {"explanation.alpha_samples", Integer{AT(explanation.effect.alpha_samples), 2, 100'000}, "draws",
       "Draws of alpha in a step; with explanation.latents = \"posterior\" there is one for each image "
       "instead."},
      {"explanation.beta_samples", Integer{AT(explanation.effect.beta_samples), 1, 100'000}, "draws",
       "Draws of beta for each draw of alpha; averages need at least 2."},
      {"explanation.pretraining", Integer{AT(explanation.pretraining), 0, kMany}, "",
       "Steps before these in which the autoencoder is trained alone; then the K latents with the largest "
       "information flow become the alphas. For deep networks, most of whose latents would mean nothing when "
       "the "
       "causal term begins to look for them."},
      {"explanation.steps", Integer{AT(explanation.steps), 1, kMany}, "", "Steps of training."},
      {"explanation.batch", Integer{AT(explanation.batch), 1, 65'536}, "images", "Images of one step."},
      {"explanation.learning_rate", Number{AT(explanation.learning_rate), 0, 100, true}, "",
       "Adam's learning rate; the largest of the schedule."},
      {"explanation.schedule", choice<AT(explanation.schedule)>(schedule_names()), "",
       "How the learning rate changes over the steps."},
      {"explanation.warmup", Number{AT(explanation.warmup), 0, 1}, "share of the steps",
       "When a one-cycle schedule reaches its largest learning rate."},
      {"explanation.beta1", Number{AT(explanation.beta1), 0, 0.999999}, "",
       "Adam's decay of the mean gradient."},
      {"explanation.beta2", Number{AT(explanation.beta2), 0, 0.999999}, "",
       "Adam's decay of the mean squared gradient."},

      {"evaluation.flow_samples", Pair{AT(evaluation.flow.outer), AT(evaluation.flow.inner), 2, 100'000},
       "draws", "Draws of the factors and, for each, of the rest, that measure the information flow."},
      {"evaluation.flow_sampling", choice<AT(evaluation.flow.estimator.sampling)>(sampling_names()), "",
       "As explanation.sampling, for the measurement."},
      {"evaluation.flow_outer_draws", choice<AT(evaluation.flow.estimator.outer_draws)>(outer_draws_names()),
       "", "As explanation.outer_draws, for the measurement."},
      {"evaluation.flow_correction", choice<AT(evaluation.flow.estimator.correction)>(correction_names()), "",
       "Bias correction of the measurement."},
      {"evaluation.factor_draws", choice<AT(evaluation.flow.factors)>(factor_draws_names()), "",
       "Whether each single factor has flow_samples draws of its own, or all share the same ones, which "
       "costs as "
       "much as one factor: the way for dozens of latents."},
      {"evaluation.ablation_images", Integer{AT(evaluation.ablation_images), 0, kMany}, "images",
       "Test images, drawn at random, on which each factor is replaced by noise; 0 takes all. With n of them "
       "an accuracy a is known to sqrt(a (1 - a) / n)."},
      {"evaluation.precision", choice<AT(evaluation.precision)>({"float32", "run"}), "",
       "Number format of the measurement: always float32, or that of the run (faster)."},

      {"counterfactual.images", Integer{AT(counterfactual.images), 0, kMany}, "images",
       "Test images, drawn at random, whose class is to be changed; 0 leaves counterfactuals out."},
      {"counterfactual.radius", Number{AT(counterfactual.search.radius), 0, 100, true}, "standard deviations",
       "The largest distance of a counterfactual's alpha from 0."},
      {"counterfactual.probability", Number{AT(counterfactual.search.probability), 0, 0.999999}, "share",
       "Probability that the new class must reach; with 0 it need only be the most probable."},

      {"trust.randomized", Integer{AT(trust.randomized), 0, 1000}, "classifiers",
       "Classifiers with random weights that the explanation is tried on; 0 leaves that check out."},
      {"trust.other_run", Path{AT(trust.other_run)}, "",
       "Another run of the same data, say with another seed, whose factors are compared with this one's."},

      {"figures.sweep_rows", Integer{AT(figures.sweep_rows), 1, 64}, "images",
       "Test images in a sweep, spread over the classes."},
      {"figures.sweep_range", Number{AT(figures.sweep_range), 0, 100, true}, "standard deviations",
       "A sweep adds values from -range to range to one latent."},
      {"figures.sweep_steps", Integer{AT(figures.sweep_steps), 2, 64}, "images", "Values of a sweep."},
      {"figures.strip_rows", Integer{AT(figures.strip_rows), 1, 64}, "images",
       "Test images in a high-resolution strip."},
      {"figures.strip_steps", Integer{AT(figures.strip_steps), 2, 200}, "images", "Values of a strip."},
      {"figures.others", Integer{AT(figures.others), 0, 1000}, "factors",
       "Non-causal factors that figures show, those with the largest flow; 0 shows all."},
      {"figures.probabilities", Toggle{AT(figures.probabilities)}, "",
       "Prints the predicted class's probability under each image."},
      {"figures.counterfactuals", Integer{AT(figures.counterfactuals), 1, 24}, "images",
       "Test images, spread over the classes, whose counterfactual is drawn."},

      {"run.seed", Integer{AT(run.seed), 0, std::numeric_limits<std::int64_t>::max()}, "",
       "Every random stream starts from it; the same seed, machine, threads and precision give the same "
       "numbers."},
      {"run.threads", Integer{AT(run.threads), 0, 1024}, "", "Threads to compute with; 0 uses every core."},
      {"run.precision", choice<AT(run.precision)>({"auto", "float32", "bfloat16"}), "",
       "Number format of the heavy layers; auto takes bfloat16 where this processor is faster with it."},
      {"run.checkpoint_seconds", Number{AT(run.checkpoint_seconds), 0, 86'400}, "s",
       "A killed training loses at most this much work; other stages begin again."},

      {"expected.accuracy", OptionalNumber{AT(expected.accuracy), 0, 1}, "share",
       "The classifier's test accuracy."},
      {"expected.information_flow", OptionalNumber{AT(expected.information_flow), -inf, inf}, "nats",
       "I(alpha; Y)."},
      {"expected.sse", OptionalNumber{AT(expected.sse), 0, inf}, "",
       "Squared error summed over pixels, averaged over images."},
      {"expected.kl", OptionalNumber{AT(expected.kl), 0, inf}, "nats", "KL divergence of the codes."},
      {"expected.largest_noncausal", OptionalNumber{AT(expected.largest_noncausal), -inf, inf}, "nats",
       "The largest I(beta_i; Y)."},
      {"expected.noncausal_share", OptionalNumber{AT(expected.noncausal_share), 0, 1}, "share",
       "I(beta; Y) of the sum of I(alpha; Y) and I(beta; Y)."},
      {"expected.reencoded", OptionalNumber{AT(expected.reencoded), 0, 1}, "share",
       "Accuracy on re-encoded images."},
      {"expected.alpha_replaced", OptionalNumber{AT(expected.alpha_replaced), 0, 1}, "share",
       "The largest accuracy after an alpha was replaced by noise."},
      {"expected.beta_replaced", OptionalNumber{AT(expected.beta_replaced), 0, 1}, "share",
       "The smallest accuracy after a beta was replaced by noise."},
      {"expected.flip_rate", OptionalNumber{AT(expected.flip_rate), 0, 1}, "share",
       "Test images for which a counterfactual was found."},
      {"expected.brightness", OptionalNumber{AT(expected.brightness), 0, 1}, "",
       "The largest correlation of an alpha with the brightness of generated images, in absolute value."},
      {"expected.source", Text{AT(expected.source)}, "", "Where these numbers are from."},
  };
}
#undef AT

}  // namespace

std::span<const Key> recipe_keys() {
  static const std::vector<Key> keys = make_keys();
  return keys;
}

std::span<const SectionDoc> recipe_sections() {
  static const std::vector<SectionDoc> sections = {
      {"", "At the top, before any section."},
      {"data", "Which images."},
      {"classifier", "What is explained."},
      {"generator", "The model that the explanation is made of."},
      {"explanation",
       "What is maximised: causal_weight C - leak_penalty I(beta; Y) - answer_weight KL(answers) - "
       "manifold_weight departure - lambda (SSE + KL). C: the information flow from the alphas to the "
       "classifier's "
       "answer Y, in nats ([estimators.md](estimators.md)); SSE: the squared error of a reconstruction, "
       "summed over "
       "pixels; KL: the divergence of its code from N(0, I), in nats; departure: the squared error between "
       "what is drawn "
       "and what the pretrained autoencoder makes of it. All are means over images or draws."},
      {"evaluation", "How the result is judged, on test data."},
      {"counterfactual", "The smallest move of alpha that changes the classifier's answer, beta kept."},
      {"trust", "Checks of the explanation."},
      {"figures", "What is drawn."},
      {"run", "How it is computed."},
      {"expected",
       "What the source text reports, or earlier runs gave; the report shows it next to what was measured."},
  };
  return sections;
}

std::string_view section_of(std::string_view key) {
  const auto dot = key.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
}

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

}  // namespace whence::experiment
