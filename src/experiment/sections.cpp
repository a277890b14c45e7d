// The sections of a recipe that stand without any kind of explanation.
#include "experiment/metrics.h"
#include "experiment/recipe.h"

namespace whence::experiment {
namespace {

using namespace config;
using Training = models::ClassifierTraining;

constexpr auto kTraining = &ClassifierOptions::training;

config::Section data_section() {
  return {
      "data",
      "Which images or texts.",
      {{"set", Text{at(&DataOptions::set)}, "",
        "A known data set (`whence data list`), or your own: \"idx\" (four IDX files), "
        "\"pictures\" (PNG and JPEG, a folder for each class) or \"texts\" (CSV, TSV, JSON lines, or a "
        "folder for "
        "each class). \"sst\" is the Stanford Sentiment Treebank."},
       {"path", Path{at(&DataOptions::path)}, "",
        "The folder with the set's files. Empty: WHENCE_DATA, ./data, and the folders of `whence data fetch` "
        "and Debian's packages."},
       {"classes", Integers{at(&DataOptions::classes), 0, 255}, "",
        "The classes to use, by their number in the set (pictures: of their folders, in the order of their "
        "names); an empty list uses all. With classifier.file: the classes of its columns, in their order."},
       {"class_names", Texts{at(&DataOptions::class_names)}, "",
        "With set = \"idx\": the names of the classes, label 0 first."},
       {"size", Integers{at(&DataOptions::form, &data::ImageForm::size), 1, 4096}, "pixels",
        "[height, width] of the images: they are scaled to cover it, then cropped evenly. An empty list "
        "keeps their size."},
       {"colours", choice(at(&DataOptions::form, &data::ImageForm::colours), {"as-they-are", "grey", "rgb"}),
        "", "Makes images grey, or gives grey ones three equal channels."},
       {"text", Text{at(&DataOptions::columns, &data::TextColumns::text)}, "",
        "With set = \"texts\": the column, or the key of JSON, that holds the text."},
       {"label", Text{at(&DataOptions::columns, &data::TextColumns::label)}, "",
        "With set = \"texts\": the column, or the key of JSON, that holds the class."},
       {"grades", Toggle{at(&DataOptions::grades)}, "",
        "With set = \"sst\": the five grades as classes instead of negative and positive."},
       {"word_pieces", Path{at(&DataOptions::word_pieces)}, "",
        "Cuts texts into a model's pieces instead of into words: BERT's vocab.txt, a piece a line, or the "
        "tokenizer.json of a model with word pieces or byte pairs."}}};
}

config::Section classifier_section() {
  return {
      "classifier",
      "The explained classifier.",
      {{"architecture",
        choice(at(&ClassifierOptions::architecture), names_of(models::classifier_architectures())), "",
        "The classifier to train and explain; see the architectures below."},
       {"file", Path{at(&ClassifierOptions::file)}, "",
        "A classifier (.pt2, ONNX or TorchScript) to explain instead of training one; the keys of its "
        "training are then "
        "unused."},
       {"output", choice(at(&ClassifierOptions::output), {"auto", "logits", "probabilities"}), "",
        "What that classifier returns; auto detects probabilities."},
       {"entry", Text{at(&ClassifierOptions::entry)}, "",
        "Which of several outputs of that classifier holds the scores: a key of its dictionary, or a number "
        "from 0."},
       {"width", Integer{at(&ClassifierOptions::network, &models::ClassifierRequest::width), 0, 1024},
        "channels",
        "Channels of the first convolution; the others keep the published proportion. 0: as published."},
       {"channel_dropout",
        Toggle{at(&ClassifierOptions::network, &models::ClassifierRequest::channel_dropout)}, "",
        "The base CNN drops whole channels with 0.25 after the pooling (anonymous 2021b) instead of single "
        "values with 0.5 (anonymous 2021a, Verhoeven et al. 2021)."},
       {"epochs", Integer{at(kTraining, &Training::epochs), 0, 100'000}, "",
        "Passes over the training images. 0 leaves random weights, for comparison: the explanation of a "
        "trained classifier must differ."},
       {"validation", Toggle{at(&ClassifierOptions::on_validation)}, "",
        "Also trains on the set's validation images. Do not choose settings on them then."},
       {"batch", Integer{at(kTraining, &Training::batch), 1, 65'536}, "images", "Images of one step."},
       {"optimizer", choice(at(kTraining, &Training::optimizer), {"sgd", "adam"}), "",
        "Stochastic gradient descent with momentum, or Adam (0.9, 0.999)."},
       {"learning_rate", Number{at(kTraining, &Training::learning_rate), 0, 100, true}, "",
        "Learning rate of the first epoch; the largest of a one-cycle schedule."},
       {"momentum", Number{at(kTraining, &Training::momentum), 0, 0.9999}, "",
        "Momentum of the gradient descent."},
       {"weight_decay", Number{at(kTraining, &Training::weight_decay), 0, 1}, "",
        "Pulls the weights (not biases and batch norms) to 0; with Adam as in AdamW."},
       {"schedule", choice(at(kTraining, &Training::schedule), {"decay", "one-cycle"}), "",
        "Whether the learning rate falls by a factor each epoch, or rises and falls once over all steps."},
       {"decay", Number{at(kTraining, &Training::decay), 0, 1, true}, "",
        "Factor on the learning rate after each epoch (schedule decay)."},
       {"warmup", Number{at(kTraining, &Training::warmup), 0, 1}, "share of the steps",
        "When a one-cycle schedule reaches its largest learning rate."},
       {"label_smoothing", Number{at(kTraining, &Training::label_smoothing), 0, 0.9999}, "",
        "Share of each training target that is spread over all classes. Answers become less certain and "
        "often more accurate."},
       {"flip", Toggle{at(kTraining, &Training::augmentation, &models::Augmentation::flip)}, "",
        "Mirrors training images at random, left to right."},
       {"crop", Integer{at(kTraining, &Training::augmentation, &models::Augmentation::crop), 0, 64}, "pixels",
        "Largest random shift of training images in each direction; black fills the gap."},
       {"cutout", Integer{at(kTraining, &Training::augmentation, &models::Augmentation::cutout), 0, 256},
        "pixels", "Side of a random black square in each training image; 0: none."}}};
}

config::Section generator_section() {
  return {
      "generator",
      "The model that explanations are made of.",
      {{"architecture",
        choice(at(&GeneratorOptions::architecture), names_of(models::autoencoder_architectures())), "",
        "The variational autoencoder that becomes the explanation; see the architectures below."},
       {"width", Integer{at(&GeneratorOptions::network, &models::AutoencoderShape::width), 0, 4096},
        "channels",
        "Channels of the first convolution; the others keep the published proportion. 0: as published."},
       {"dropout", Number{at(&GeneratorOptions::network, &models::AutoencoderShape::dropout), 0, 0.9999}, "",
        "Dropout of the hidden features in the autoencoders of Parafita 2018. The published 0.5 spoils the "
        "images of CIFAR-10. The other architectures have no dropout."},
       {"latents", Integer{at(&GeneratorOptions::latents), 0, 4096}, "latents",
        "Above 0: trains a generator with this many latents alone, without an explanation; [explanation] is "
        "then "
        "unused. 0: an explanation trains its own."},
       {"initialisation", choice(at(&GeneratorOptions::initial), names_to(models::InitialWeights::he)), "",
        "Initial weights of an autoencoder: as published, with which deep networks learn nothing at first, "
        "or those of "
        "He et al. 2015, which keep the size of a signal."},
       {"start", Path{at(&GeneratorOptions::start)}, "",
        "A run folder, or a folder with encoder.safetensors and decoder.safetensors, to start training "
        "from (fine-tuning); the number of latents must be equal. The first K latents become alpha. From a "
        "plain "
        "autoencoder, explanation.pretraining = 1 instead takes the latents that move the classifier "
        "most. Empty: random weights."},
       {"file", Path{at(&GeneratorOptions::file)}, "",
        "A decoder of your own (.pt2, ONNX or TorchScript) that takes (N, generator.latents) and gives "
        "images of the data's shape, from 0 to 1. It is "
        "not trained; other keys than latents are unused, but for encoder_steps and what its encoder takes: "
        "architecture and width. Empty: the generator is trained."}}};
}

config::Section run_section() {
  return {"run",
          "Computation.",
          {{"seed", Integer{at(&RunOptions::seed), 0, std::numeric_limits<std::int64_t>::max()}, "",
            "Every random stream starts from it; the same seed, machine, threads and precision give the same "
            "numbers."},
           {"threads", Integer{at(&RunOptions::threads), 0, 1024}, "",
            "Threads to compute with; 0 uses every core."},
           {"precision", choice(at(&RunOptions::precision), {"auto", "float32", "bfloat16"}), "",
            "Number format of the heavy layers; auto takes bfloat16 where this processor is faster with it."},
           {"device", Text{at(&RunOptions::device)}, "",
            "Where networks lie and compute: `cpu`, `cuda` (the first GPU) or `cuda:N`. A LibTorch with CUDA "
            "is needed for a GPU."},
           {"checkpoint_seconds", Number{at(&RunOptions::checkpoint_seconds), 0, 86'400}, "s",
            "A killed training loses at most this much work; other stages restart."}}};
}

}  // namespace

const config::Schema& base_sections() {
  static const Schema sections = {
      {"",
       "At the top, before any section.",
       {{"title", Text{at(&About::title)}, "", "Title in the report (default: the file's name)."},
        {"source", Text{at(&About::source)}, "", "The paper that the experiment is from."}}},
      data_section(),
      classifier_section(),
      generator_section(),
      run_section(),
      {"evaluation",
       "How results are judged, on test data.",
       {{"precision", choice(at(&JudgingOptions::precision), {"float32", "run"}), "",
         "Number format of the measurement: always float32, or that of the run (faster)."}}}};
  return sections;
}

config::Section expected_section(const Kinds& kinds) {
  const double inf = std::numeric_limits<double>::infinity();
  config::Section section{
      "expected",
      "What the paper states, or earlier runs measured; the report shows it beside this run. "
      "Each key is a metric of the kind.",
      {{"source", Text{at(&Expected::source)}, "", "Where these numbers are from."}}};
  for (const Metric& metric : all_metrics(kinds)) {
    const auto value = [name = metric.name](Values & values) -> auto& {
      return values.get<Expected>().values[name];
    };
    const bool share = metric.unit == "%";
    section.keys.push_back({metric.name, OptionalNumber{value, share ? 0 : -inf, share ? 1 : inf},
                            measured_unit(metric.unit), metric.doc});
  }
  return section;
}

}  // namespace whence::experiment
