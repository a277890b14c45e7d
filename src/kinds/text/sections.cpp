// The keys of a recipe about texts.
#include "kinds/text/text.h"
#include "whence/core/error.h"

namespace whence::kinds {
namespace {

using namespace config;
using Corpus = TextCorpusOptions;
using Classifier = TextClassifierOptions;
using Explanation = TextExplanationOptions;
using Measures = TextMeasureOptions;
using Shape = models::SentenceVaeShape;
using Training = text::Training;
using Learning = models::LanguageModelTraining;

constexpr std::int64_t kMany = 1'000'000'000;

Section corpus_section() {
  return {
      "text",
      "Which texts the generator learns, and how it is judged.",
      {{"unit", choice(at(&Corpus::unit), {"phrases", "texts"}), "",
        "What the generator learns: judged parts of the training texts (SST), or the texts themselves."},
       {"shortest", Integer{at(&Corpus::shortest), 1, 1000}, "words",
        "Phrases and texts with fewer words are left out."},
       {"longest", Integer{at(&Corpus::longest), 1, 1000}, "words",
        "Longer phrases are left out, longer texts are cut after so many words."},
       {"least", Integer{at(&Corpus::least), 1, kMany}, "",
        "How often a word must stand in the training texts for the generator to know it. Texts with other "
        "words are left out."},
       {"undecided", Toggle{at(&Corpus::undecided)}, "",
        "The first stage also learns phrases that people put between two classes."},
       {"test_texts", Integer{at(&Measures::texts), 0, kMany}, "texts",
        "How many test texts, drawn at random, the generator is judged on; 0: all."},
       {"samples", Pair{at(&Measures::outer), at(&Measures::inner), 2, 100'000}, "",
        "Draws that measure the information flow: of the factors, and of the rest for each."},
       {"shown", Integer{at(&Measures::shown), 0, 100}, "texts",
        "How many test texts the report shows, with their sweeps."}}};
}

Section classifier_section() {
  using Net = models::TextClassifierShape;
  using Fit = models::TextClassifierTraining;
  const auto shape = &Classifier::shape;
  const auto training = &Classifier::training;
  return {
      "text_classifier",
      "The explained classifier of texts.",
      {{"architecture", choice(at(shape, &Net::architecture), {"bilstm-convolutions", "bigru"}), "",
        "Verhoeven et al. 2021 (an LSTM in both directions and convolutions), or a GRU in both "
        "directions whose maximum and mean are read."},
       {"file", Path{at(&Classifier::file)}, "",
        "Your own classifier instead (docs/text.md says what it must take). Nothing is trained, and the "
        "keys of the "
        "training do nothing."},
       {"input", choice(at(&Classifier::input), {"numbers", "vectors"}), "",
        "What the file takes: numbers of words (N, T), or their vectors (N, T, E)."},
       {"vocabulary", Path{at(&Classifier::vocabulary)}, "",
        "The words of the file: one a line in the order of its numbers, or the model's tokenizer.json; for "
        "vectors, each word with its vector (GloVe's text form)."},
       {"unknown", Text{at(&Classifier::unknown)}, "",
        "The word of the vocabulary that stands for unknown ones. Empty: <unk>; with data.word_pieces: what "
        "its file says, [UNK] of a vocab.txt."},
       {"before", Texts{at(&Classifier::before)}, "",
        "Words of the vocabulary that the file gets in front of each text. auto: none; with "
        "data.word_pieces: "
        "what its file says, [CLS] of a vocab.txt."},
       {"after", Texts{at(&Classifier::after)}, "",
        "Words of the vocabulary that the file gets behind each text. auto: none; with data.word_pieces: "
        "what "
        "its file says, [SEP] of a vocab.txt."},
       {"output", choice(at(&Classifier::output), {"auto", "logits", "probabilities"}), "",
        "What the file returns; auto looks at the sum of its rows."},
       {"embedding", Integer{at(shape, &Net::embedding), 1, 4096}, "", "Width of the word vectors."},
       {"hidden", Integer{at(shape, &Net::hidden), 1, 4096}, "",
        "Units of the recurrent layer in each direction."},
       {"least", Integer{at(&Classifier::least), 1, kMany}, "",
        "How often a word must stand in the training phrases for the classifier to know it."},
       {"vectors", Texts{at(&Classifier::vectors)}, "",
        "Files of word vectors (GloVe's text form) that the classifier's vectors begin with, one file behind "
        "the other; relative to the current folder."},
       {"epochs", Integer{at(training, &Fit::epochs), 0, 10'000}, "", "Passes over the training phrases."},
       {"batch", Integer{at(training, &Fit::batch), 1, 65'536}, "phrases",
        "Phrases in a training step; all of them have the same length."},
       {"learning_rate", Number{at(training, &Fit::learning_rate), 0, 100, true}, "",
        "Adam's learning rate: the largest of a one-cycle schedule, or that of the first epoch."},
       {"schedule", choice(at(training, &Fit::schedule), {"decay", "one-cycle"}), "",
        "Whether the learning rate falls by a factor each epoch (Verhoeven et al. 2021), or rises and falls "
        "once over all steps."},
       {"decay", Number{at(training, &Fit::decay), 0, 1, true}, "",
        "Factor on the learning rate after each epoch (schedule decay)."},
       {"dropout", Number{at(training, &Fit::dropout), 0, 0.9999}, "",
        "Share of the values that training sets to 0, in word vectors and in what the last layer reads."},
       {"word_dropout", Number{at(training, &Fit::word_dropout), 0, 0.9999}, "",
        "Share of the words that a training step replaces by the unknown word."}}};
}

Section judge_section() {
  return {"language_model",
          "An LSTM that judges how likely texts are. It sees the corpus, not the explanation.",
          {{"epochs", Integer{at(&Learning::epochs), 0, 10'000}, "", "Passes over the corpus."},
           {"batch", Integer{at(&Learning::batch), 1, 65'536}, "texts",
            "Texts in a training step; all of them have the same length."},
           {"learning_rate", Number{at(&Learning::learning_rate), 0, 100, true}, "",
            "Adam's learning rate, the largest of a one-cycle schedule."},
           {"dropout", Number{at(&Learning::dropout), 0, 0.9999}, "",
            "Share of the values that training sets to 0, in word vectors and in the LSTM's output."}}};
}

std::vector<Key> shape_keys() {
  const auto shape = &Explanation::shape;
  return {
      {"architecture", choice(at(shape, &Shape::architecture), {"guided", "published"}), "",
       "guided: the code reaches every step of the decoder. published: the networks of Verhoeven et al. "
       "2021."},
      {"causal", Integer{at(shape, &Shape::causal), 1, 64}, "factors", "K, the number of alphas."},
      {"noncausal", Integer{at(shape, &Shape::noncausal), 1, 4096}, "factors", "L, the number of betas."},
      {"embedding", Integer{at(shape, &Shape::embedding), 1, 4096}, "", "Width of the word vectors."},
      {"encoder_hidden", Integer{at(shape, &Shape::encoder_hidden), 1, 8192}, "",
       "Units of the encoder in each direction."},
      {"decoder_hidden", Integer{at(shape, &Shape::decoder_hidden), 1, 8192}, "", "Units of the decoder."},
      {"guide", Integer{at(shape, &Shape::guide), 1, 4096}, "",
       "Width of the vector that tells the code to every step of the decoder (guided)."}};
}

std::vector<Key> training_keys() {
  const auto training = &Explanation::training;
  const auto number = [&](double Training::*member, double most) {
    return Number{at(&Explanation::training, member), 0, most};
  };
  return {
      {"steps", Integer{at(training, &Training::steps), 1, kMany}, "", "Number of training steps."},
      {"batch", Integer{at(training, &Training::batch), 2, 65'536}, "texts",
       "Texts in a training step; all of them have the same length."},
      {"causal_share", number(&Training::causal_share, 1), "share of the steps",
       "Length of the second stage of the training, which alone has the causal term. The first stage learns "
       "texts."},
      {"sure", number(&Training::sure, 0.4999), "",
       "The second stage sees only texts of whose class the classifier is sure: with two classes, its "
       "probability is above 0.5 by more than this."},
      {"learning_rate", Number{at(training, &Training::learning_rate), 0, 100, true}, "",
       "Adam's learning rate, the largest of a one-cycle schedule."},
      {"word_dropout", number(&Training::word_dropout, 0.9999), "",
       "Share of the words that the decoder does not see when it predicts the next one."},
      {"encoder_dropout", number(&Training::encoder_dropout, 0.9999), "",
       "Share of the words that the encoder does not see."},
      {"sampled_words", Integer{at(training, &Training::sampled_words), 0, kMany}, "words",
       "Words of the vocabulary that a step's softmax adds up over, drawn at random, beside the batch's own "
       "words."},
      {"kl_weight", number(&Training::kl_weight, 1e6), "",
       "Weight of the KL divergence of the codes from N(0, I)."},
      {"kl_warmup", number(&Training::kl_warmup, 1), "share of the steps",
       "While kl_weight rises from 0 to its full value."},
      {"bag_weight", number(&Training::bag_weight, 1e6), "",
       "Weight of a loss that predicts the text's words from the code, without their order."},
      {"pull_weight", number(&Training::pull_weight, 1e6), "",
       "Weight of the pull: alpha of a text promises the classifier's answer to it. This supervises alpha by "
       "the explained classifier; 0 leaves it to the causal term."},
      {"adversary_weight", number(&Training::adversary_weight, 1e6), "",
       "Weight of the adversary term: the betas of a text must not tell a small network the answer."},
      {"lambda", number(&Training::lambda, 1e6), "",
       "Weight of the information flow from alpha to the classifier's answer, the causal term."},
      {"cycle_weight", number(&Training::cycle_weight, 1e6), "",
       "Weight of the distance between the code of a decoded text and the code that it was made from."},
      {"keep_weight", number(&Training::keep_weight, 1e6), "",
       "Weight of a term that keeps the words that do not matter to the classifier when alpha moves."},
      {"fluency_weight", number(&Training::fluency_weight, 1e6), "",
       "Weight of the fluency of decoded texts: a second language model finds them as likely as real ones. "
       "It "
       "is trained for this, and it is not the judge. 0: no such model."},
      {"fluency_level", number(&Training::fluency_level, 1), "share of the real texts",
       "How many of the real texts count as fluent: with 0.9, the fluency term changes only decoded texts "
       "that are less likely than nine in ten real ones."},
      {"repeat_weight", number(&Training::repeat_weight, 1e6), "",
       "Weight of a penalty on pairs of neighbouring words that a decoded text has twice."},
      {"causal_every", Integer{at(training, &Training::causal_every), 1, 1000}, "steps",
       "In the second stage, every so many steps have the causal term."},
      {"rollouts", Integer{at(training, &Training::rollouts), 2, 65'536}, "texts",
       "Texts that are decoded for one causal term."}};
}

std::vector<Key> aggressive_keys() {
  using Aggressive = text::AggressiveEncoder;
  const auto training = &Explanation::training;
  return {
      {"aggressive_iterations",
       Integer{at(training, &Training::aggressive, &Aggressive::iterations), 0, 100'000}, "steps",
       "Largest number of steps that train the encoder alone before each step of the decoder, while the "
       "mutual information between texts and codes rises (aggressive training against posterior collapse, "
       "He et al. 2019). 0: none."},
      {"aggressive_window", Integer{at(training, &Training::aggressive, &Aggressive::window), 1, 10'000},
       "steps",
       "The encoder's steps end earlier where the mean loss of so many of them is not below that of as many "
       "before."},
      {"aggressive_check", Integer{at(training, &Training::aggressive, &Aggressive::check_every), 0, kMany},
       "steps",
       "Steps of the decoder between two estimates of that mutual information; the first that is not larger "
       "than the one before ends the aggressive training. 0: a pass over the texts."}};
}

std::vector<Key> decoding_keys() {
  using Decoding = text::RelaxedDecoding;
  const auto training = &Explanation::training;
  return {
      {"candidates", Integer{at(training, &Training::decoding, &Decoding::candidates), 2, 100'000}, "words",
       "How many words, the most probable ones, gradients reach at each place of a decoded text."},
      {"noise", Number{at(training, &Training::decoding, &Decoding::noise), 0, 100}, "",
       "Size of the Gumbel noise on the logits of texts that are decoded in training."}};
}

Section explanation_section() {
  Section section{"text_explanation", "The generator of texts and its training.", shape_keys()};
  for (const std::vector<Key>& keys : {training_keys(), aggressive_keys(), decoding_keys()})
    section.keys.insert(section.keys.end(), keys.begin(), keys.end());
  return section;
}

}  // namespace

std::vector<config::Section> text_sections() {
  return {corpus_section(), classifier_section(), judge_section(), explanation_section()};
}

void check_text(const config::Values& values, const std::string& file) {
  const auto& corpus = values.get<TextCorpusOptions>();
  if (corpus.shortest > corpus.longest)
    fail_usage("{}: text.shortest is {}, but text.longest is {}", file, corpus.shortest, corpus.longest);
  const auto& classifier = values.get<TextClassifierOptions>();
  if (classifier.is_given() == classifier.vocabulary.empty())
    fail_usage(
        "{}: text_classifier.file and text_classifier.vocabulary belong together; give both or neither",
        file);
  if (classifier.is_given() && classifier.input == models::TextInput::vectors &&
      !values.get<experiment::DataOptions>().word_pieces.empty())
    fail_usage(
        "{}: with data.word_pieces a classifier must take numbers of pieces; set text_classifier.input "
        "to numbers",
        file);
}

}  // namespace whence::kinds
