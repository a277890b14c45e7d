// The texts and the networks of a run.
#include "kinds/text/text.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/text/tokenizer_file.h"

namespace whence::kinds {
namespace {

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

models::TextClassifierFile given_text_classifier(const Session& session) {
  const auto& own = session.get<TextClassifierOptions>();
  const std::string& pieces = session.get<experiment::DataOptions>().word_pieces;
  data::ModelTokenizer around;
  around.unknown = "<unk>";
  if (!pieces.empty()) around = data::read_tokenizer(pieces);
  const auto chosen = [](const data::Words& named, const data::Words& known) {
    return named == data::Words{"auto"} ? known : named;
  };
  return {own.file,
          own.input,
          own.vocabulary,
          own.unknown.empty() ? around.unknown : own.unknown,
          own.output,
          chosen(own.before, around.before),
          chosen(own.after, around.after)};
}

TextCorpus text_corpus(Session& session) {
  return text_corpus(session.texts(), session.get<TextCorpusOptions>());
}

data::Vocabulary classifier_vocabulary(Session& session) {
  const auto& options = session.get<TextClassifierOptions>();
  const std::vector<data::Words>& texts = session.texts().phrases.words;
  if (!options.is_given()) return {texts, options.least};
  data::Vocabulary own = models::vocabulary_of(given_text_classifier(session));
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
        "in small letters; if it is BERT's, name it with data.word_pieces, too)",
        options.vocabulary, 100 * share);
  return own;
}

std::unique_ptr<models::TextClassifier> explained_text_classifier(Session& session,
                                                                  const data::Vocabulary& vocabulary) {
  const auto& options = session.get<TextClassifierOptions>();
  if (options.is_given())
    return models::load_text_classifier(given_text_classifier(session), session.texts().train.classes());
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
  models::LanguageModel model = new_language_model(corpus, session.seed(), TextJudge::judge);
  return trained ? loaded(session, std::move(model), "language-model.safetensors") : model;
}

models::LanguageModel fluency_model(Session& session, const TextCorpus& corpus, bool trained) {
  models::LanguageModel model = new_language_model(corpus, session.seed(), TextJudge::fluency);
  return trained ? loaded(session, std::move(model), "text-fluency-model.safetensors") : model;
}

models::SentenceVae sentence_vae(Session& session, const TextCorpus& corpus, bool trained) {
  models::SentenceVae vae = new_sentence_vae(session.get<TextExplanationOptions>().shape, corpus,
                                             session.texts().train.classes(), session.seed());
  return trained ? loaded(session, std::move(vae), "text-explanation.safetensors") : vae;
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
          session.get<TextCorpusOptions>().longest + 1,
          session.tokenizer()};
}

}  // namespace whence::kinds
