// What a generator of texts learns, and its networks and training: in memory, without a run folder.
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

}  // namespace

TextCorpus text_corpus(const data::TextSplits& splits, const TextCorpusOptions& options) {
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

at::Tensor learned_texts(const TextCorpus& corpus) { return data::stacked({corpus.train, corpus.undecided}); }

models::LanguageModel new_language_model(const TextCorpus& corpus, std::uint64_t seed, TextJudge which) {
  Generator generator = make_generator(
      seed, which == TextJudge::judge ? "language-model/initial" : "text-fluency-model/initial");
  return {{.words = corpus.vocabulary.size()}, generator};
}

models::SentenceVae new_sentence_vae(models::SentenceVaeShape shape, const TextCorpus& corpus,
                                     std::int64_t classes, std::uint64_t seed) {
  shape.words = corpus.vocabulary.size();
  shape.classes = classes;
  Generator generator = make_generator(seed, "text-explanation/initial");
  return {shape, generator};
}

nn::LoopSummary train_sentence_vae(models::SentenceVae& vae, const TextCorpus& corpus,
                                   const models::TextClassifier& classifier, const at::Tensor& translation,
                                   std::int64_t longest, text::Training training,
                                   const ProgressCallback& progress) {
  training.decoding.longest = longest + 1;
  const at::Tensor texts = learned_texts(corpus);
  const at::Tensor seen = translation.index_select(0, texts.flatten()).view(texts.sizes());
  return text::train(vae, classifier, translation, {texts, models::text_probabilities(classifier, seen)},
                     training, progress);
}

at::Tensor TextModels::answers(const at::Tensor& numbers) const {
  return models::text_probabilities(*classifier,
                                    translation.index_select(0, numbers.flatten()).view(numbers.sizes()));
}

}  // namespace whence::kinds
