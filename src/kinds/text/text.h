// The kind "text": which learned cause moves a classifier of texts (Verhoeven et al. 2021 tried it; O'Shaughnessy et al. 2020).
#pragma once

#include <string>
#include <vector>

#include "experiment/kind.h"
#include "experiment/session.h"
#include "whence/data/text/vocabulary.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/text/train.h"
#include "whence/models/text/foreign_classifier.h"
#include "whence/models/text/language_model.h"

namespace whence::kinds {

using experiment::Session;

/// Which texts the generator learns.
enum class TextUnit {
  phrases,  ///< judged parts of the training texts
  texts,    ///< the training texts themselves
};

struct TextCorpusOptions {
  TextUnit unit = TextUnit::phrases;
  std::int64_t shortest = 3, longest = 12;  ///< words
  std::int64_t least = 3;                   ///< how often a word stands in the training texts
  bool undecided = true;                    ///< phrases between two classes are learned, too
};

struct TextClassifierOptions {
  models::TextClassifierShape shape;  ///< words and classes come from the texts
  models::TextClassifierTraining training;
  std::int64_t least = 1;            ///< how often a word stands in the phrases
  std::vector<std::string> vectors;  ///< files of word vectors
  // The user's own; then nothing is trained.
  std::string file, vocabulary, unknown;
  models::TextInput input = models::TextInput::numbers;
  models::ClassifierOutput output = models::ClassifierOutput::automatic;
  std::vector<std::string> before = {"auto"}, after = {"auto"};

  bool is_given() const { return !file.empty(); }
};

struct TextExplanationOptions {
  models::SentenceVaeShape shape;
  text::Training training;
};

struct TextMeasureOptions {
  std::int64_t texts = 1000;              ///< test texts; 0: all
  std::int64_t outer = 200, inner = 100;  ///< draws of the information flow
  std::int64_t shown = 8;                 ///< texts whose sweep is shown
};

/// The row of the table.
experiment::Kind text_kind();

std::vector<config::Section> text_sections();
void check_text(const config::Values& values, const std::string& file);
std::vector<experiment::Stage> text_stages();
std::vector<experiment::Metric> text_metrics();
void draw_text(experiment::Run& run, experiment::Figures& figures);
void report_text(const experiment::Run& run, report::Page& page);
/// alpha_1, ..., beta_1, ...
std::vector<std::string> text_factors(const Session& session);

/// What the generator learns, and what it is judged on: texts all of whose words it knows.
struct TextCorpus {
  data::Vocabulary vocabulary;
  at::Tensor train, test;                ///< numbers in its vocabulary
  at::Tensor train_labels, test_labels;  ///< the class that people gave, int64
  at::Tensor undecided;                  ///< training phrases between two classes; none: (0, 1)
};
TextCorpus text_corpus(Session& session);
/// Errors: no training or test text of the length asked for, or none all of whose words stand often enough.
TextCorpus text_corpus(const data::TextSplits& splits, const TextCorpusOptions& options);
/// The training texts, and the undecided ones.
at::Tensor learned_texts(const TextCorpus& corpus);

/// The user's own classifier, as the recipe names it.
models::TextClassifierFile given_text_classifier(const Session& session);
/// The vocabulary of the classifier: words of its training phrases, or of the user's file. Error: a file that knows few of the texts' words.
data::Vocabulary classifier_vocabulary(Session& session);
/// The explained classifier: trained, or the user's file.
std::unique_ptr<models::TextClassifier> explained_text_classifier(Session& session,
                                                                  const data::Vocabulary& vocabulary);

/// The language model that judges, and that of the fluency term.
enum class TextJudge { judge, fluency };
/// Of its draws, which are others than the judge's.
constexpr std::uint64_t fluency_seed(std::uint64_t seed) { return ~seed; }

// Untrained; their first weights depend on the seed alone.
models::LanguageModel new_language_model(const TextCorpus& corpus, std::uint64_t seed, TextJudge which);
models::SentenceVae new_sentence_vae(models::SentenceVaeShape shape, const TextCorpus& corpus,
                                     std::int64_t classes, std::uint64_t seed);
/// text::train with the answers of the classifier. `longest`: words of a text.
nn::LoopSummary train_sentence_vae(models::SentenceVae& vae, const TextCorpus& corpus,
                                   const models::TextClassifier& classifier, const at::Tensor& translation,
                                   std::int64_t longest, text::Training training,
                                   const ProgressCallback& progress);

// Networks as the recipe declares them; `trained`: with the weights of the run folder. Error: not trained yet.
models::TextClassifierNetwork text_classifier(Session& session, const data::Vocabulary& vocabulary,
                                              bool trained);
models::LanguageModel language_model(Session& session, const TextCorpus& corpus, bool trained);
/// Of the fluency term; the judge is `language_model`.
models::LanguageModel fluency_model(Session& session, const TextCorpus& corpus, bool trained);
models::SentenceVae sentence_vae(Session& session, const TextCorpus& corpus, bool trained);

/// All that is trained, and the classifier.
struct TextModels {
  TextCorpus corpus;
  data::Vocabulary words;  ///< of the classifier
  std::shared_ptr<models::TextClassifier> classifier;
  models::LanguageModel judge;
  models::SentenceVae vae;
  at::Tensor translation;  ///< from the corpus' words to the classifier's
  std::int64_t longest;    ///< words of a decoded text
  data::Tokenizer tokenizer = data::word_tokenizer();

  /// The classifier's answers to texts in the corpus' vocabulary, (N, M).
  at::Tensor answers(const at::Tensor& numbers) const;
};
TextModels text_models(Session& session);

/// The text with `open` and `close` around each word that `before` lacks.
std::string with_new_words_marked(const std::string& text, const std::string& before, std::string_view open,
                                  std::string_view close);

/// A bar of ten blocks and the number.
std::string probability_bar(double probability);

/// The report's first sentences, from the metrics of a run: whether alpha moves the classifier (a tenth of the possible flow and of the texts), and
/// whether reconstructions share more words with their texts than with others (twice as many).
std::string text_answer(const nlohmann::json& metrics);

/// Information flow of the factors to a classifier's answers to decoded texts; every factor has the same draws of the others.
flow::FlowReport text_flow(const TextModels& models, const models::TextClassifier& classifier,
                           std::int64_t outer, std::int64_t inner, std::uint64_t seed,
                           const ProgressCallback& progress);

/// metrics of the stage "text-measures", and the sweeps of some texts.
nlohmann::json measure_text(const TextModels& models, const TextMeasureOptions& options, std::uint64_t seed,
                            const ProgressCallback& progress);

}  // namespace whence::kinds
