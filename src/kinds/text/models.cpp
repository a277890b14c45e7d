// The corpus and the networks of a run.
#include <set>

#include "kinds/text/text.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::kinds {
namespace {

/// Texts of one class, once each, in the order of the data.
struct Judged {
  std::vector<data::Words> words;
  std::vector<std::int64_t> labels;
  std::vector<data::Words> undecided;
};

/// Between classes stands a phrase whose largest target is below this.
constexpr double kDecided = 0.75;

Judged judged_phrases(const data::Phrases& phrases, const TextCorpusOptions& options) {
  Judged all;
  const auto [largest, labels] = phrases.targets.max(1);
  for (std::size_t i = 0; i < phrases.words.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i), count = static_cast<std::int64_t>(phrases.words[i].size());
    if (count < options.shortest || count > options.longest) continue;
    if (largest[row].item<double>() < kDecided) {
      all.undecided.push_back(phrases.words[i]);
      continue;
    }
    all.words.push_back(phrases.words[i]);
    all.labels.push_back(labels[row].item<std::int64_t>());
  }
  return all;
}

Judged judged_texts(const data::TextSet& texts, const TextCorpusOptions& options) {
  Judged all;
  std::set<data::Words> known;
  for (const data::LabelledText& text : data::cut(texts, options.longest).texts) {
    if (std::ssize(text.words) < options.shortest || !known.insert(text.words).second) continue;
    all.words.push_back(text.words);
    all.labels.push_back(text.label);
  }
  return all;
}

/// Without the texts that have unknown words.
Judged known_only(const Judged& texts, const data::Vocabulary& vocabulary) {
  Judged known;
  for (std::size_t i = 0; i < texts.words.size(); ++i) {
    if (!vocabulary.knows_all(texts.words[i])) continue;
    known.words.push_back(texts.words[i]);
    known.labels.push_back(texts.labels[i]);
  }
  std::copy_if(texts.undecided.begin(), texts.undecided.end(), std::back_inserter(known.undecided),
               [&](const data::Words& words) { return vocabulary.knows_all(words); });
  return known;
}

template <class Network>
Network loaded(Session& session, Network network, const char* file) {
  const std::filesystem::path path = session.folder() / file;
  if (!std::filesystem::exists(path))
    fail("{} has no {} yet; `whence run {}` makes it", session.folder().path().string(), file,
         session.folder().path().string());
  nn::load_parameters(path, network.parameters());
  network.parameters().freeze();
  return network;
}

}  // namespace

TextCorpus text_corpus(Session& session) {
  const auto& options = session.get<TextCorpusOptions>();
  const data::TextSplits& splits = session.texts();
  const bool phrases = options.unit == TextUnit::phrases;
  const Judged train =
                   phrases ? judged_phrases(splits.phrases, options) : judged_texts(splits.train, options),
               test = phrases ? judged_phrases(splits.test_phrases, options)
                              : judged_texts(splits.test, options);
  if (train.words.empty())
    fail("no training text has {} to {} words; change text.shortest and text.longest", options.shortest,
         options.longest);
  std::vector<data::Words>
      whole;  // in phrases, which are parts of one another, nearly every word stands three times
  for (const data::LabelledText& text : splits.train.texts) whole.push_back(text.words);
  const data::Vocabulary vocabulary(whole, options.least);
  const Judged known = known_only(train, vocabulary), known_test = known_only(test, vocabulary);
  for (const auto& [texts, name] : {std::pair{&known, "training"}, {&known_test, "test"}})
    if (texts->words.empty())
      fail("every {} text has words that stand less than {} times; lower text.least", name, options.least);
  return {vocabulary,
          data::to_numbers(vocabulary, known.words),
          data::to_numbers(vocabulary, known_test.words),
          at::tensor(known.labels, at::kLong),
          at::tensor(known_test.labels, at::kLong),
          options.undecided && !known.undecided.empty() ? data::to_numbers(vocabulary, known.undecided)
                                                        : at::zeros({0, 1}, at::kLong)};
}

data::Vocabulary classifier_vocabulary(Session& session) {
  const auto& options = session.get<TextClassifierOptions>();
  const std::vector<data::Words>& texts = session.texts().phrases.words;
  if (!options.is_given()) return {texts, options.least};
  data::Vocabulary own = models::vocabulary_of(options.given());
  std::int64_t known = 0, all = 0;
  for (const data::Words& words : texts)
    for (const std::string& word : words) {
      ++all;
      known += own.number_of(word) == data::Vocabulary::kUnknown ? 0 : 1;
    }
  constexpr double least = 0.2;
  if (const double share = static_cast<double>(known) / static_cast<double>(all); share < least)
    fail(
        "{} knows only {:.1f} % of the words of the texts; give the vocabulary of this classifier (words are "
        "in small letters)",
        options.vocabulary, 100 * share);
  return own;
}

std::unique_ptr<models::TextClassifier> explained_text_classifier(Session& session,
                                                                  const data::Vocabulary& vocabulary) {
  const auto& options = session.get<TextClassifierOptions>();
  if (options.is_given())
    return models::load_text_classifier(options.given(), session.texts().train.classes());
  return models::as_text_classifier(text_classifier(session, vocabulary, true));
}

models::TextClassifierNetwork text_classifier(Session& session, const data::Vocabulary& vocabulary,
                                              bool trained) {
  const auto& options = session.get<TextClassifierOptions>();
  models::TextClassifierShape shape = options.shape;
  shape.words = vocabulary.size();
  shape.classes = session.texts().train.classes();
  Generator generator = make_generator(session.seed(), "text-classifier/initial");
  std::vector<data::WordVectors> vectors;
  if (!trained)
    for (const std::string& file : options.vectors) vectors.push_back(data::read_word_vectors(file));
  constexpr double deviation = 0.3;
  models::TextClassifierNetwork network(
      shape, data::initial_embedding(vocabulary, vectors, shape.embedding, deviation, generator), generator);
  return trained ? loaded(session, std::move(network), "text-classifier.safetensors") : network;
}

models::LanguageModel language_model(Session& session, const TextCorpus& corpus, bool trained) {
  Generator generator = make_generator(session.seed(), "language-model/initial");
  models::LanguageModel model({.words = corpus.vocabulary.size()}, generator);
  return trained ? loaded(session, std::move(model), "language-model.safetensors") : model;
}

models::LanguageModel fluency_model(Session& session, const TextCorpus& corpus, bool trained) {
  Generator generator = make_generator(session.seed(), "text-fluency-model/initial");
  models::LanguageModel model({.words = corpus.vocabulary.size()}, generator);
  return trained ? loaded(session, std::move(model), "text-fluency-model.safetensors") : model;
}

models::SentenceVae sentence_vae(Session& session, const TextCorpus& corpus, bool trained) {
  models::SentenceVaeShape shape = session.get<TextExplanationOptions>().shape;
  shape.words = corpus.vocabulary.size();
  shape.classes = session.texts().train.classes();
  Generator generator = make_generator(session.seed(), "text-explanation/initial");
  models::SentenceVae vae(shape, generator);
  return trained ? loaded(session, std::move(vae), "text-explanation.safetensors") : vae;
}

at::Tensor TextModels::answers(const at::Tensor& numbers) const {
  return models::text_probabilities(*classifier,
                                    translation.index_select(0, numbers.flatten()).view(numbers.sizes()));
}

TextModels text_models(Session& session) {
  TextCorpus corpus = text_corpus(session);
  data::Vocabulary words = classifier_vocabulary(session);
  auto classifier = explained_text_classifier(session, words);
  models::LanguageModel judge = language_model(session, corpus, true);
  models::SentenceVae vae = sentence_vae(session, corpus, true);
  at::Tensor translation = words.translation_from(corpus.vocabulary);
  return {std::move(corpus),
          std::move(words),
          std::move(classifier),
          std::move(judge),
          std::move(vae),
          translation,
          session.get<TextCorpusOptions>().longest + 1};
}

}  // namespace whence::kinds
