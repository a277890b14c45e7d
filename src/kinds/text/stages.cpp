// The trainings of a run about texts, and its measurement.
#include "experiment/recipe.h"
#include "kinds/text/ask.h"
#include "whence/core/files.h"

namespace whence::kinds {
namespace {

using experiment::Stage;
using experiment::StageResult;

/// Seed and checkpoint of a training.
template <class Training>
Training placed(Session& session, Training training, const char* stage) {
  training.seed = session.seed();
  training.checkpoint = session.folder().checkpoint(stage);
  training.checkpoint_seconds = session.get<experiment::RunOptions>().checkpoint_seconds;
  return training;
}

nlohmann::json vectors_content(Session& session) {
  nlohmann::json content = nlohmann::json::object();
  const auto& options = session.get<TextClassifierOptions>();
  if (options.is_given())
    for (const std::string& file : {options.file, options.vocabulary})
      content["file"].push_back(experiment::fingerprint_of(read_file(file)));
  for (const std::string& file : session.get<TextClassifierOptions>().vectors)
    content["vectors"].push_back(experiment::fingerprint_of(read_file(file)));
  return content;
}

StageResult measure_given_classifier(Session& session, const data::Vocabulary& vocabulary) {
  const auto classifier = explained_text_classifier(session, vocabulary);
  const double accuracy = models::text_accuracy(*classifier, vocabulary, session.texts().test);
  return {{{"classifier",
            {{"test_accuracy", accuracy},
             {"test_texts", session.texts().test.size()},
             {"words", vocabulary.size()}}}},
          {},
          fmt::format("test accuracy {:.2f} %", 100 * accuracy)};
}

StageResult train_classifier_of_texts(Session& session) {
  const data::Vocabulary vocabulary = classifier_vocabulary(session);
  if (session.get<TextClassifierOptions>().is_given()) return measure_given_classifier(session, vocabulary);
  models::TextClassifierNetwork network = text_classifier(session, vocabulary, false);
  const nn::LoopSummary summary = models::train_text_classifier(
      network, session.texts().phrases, vocabulary,
      placed(session, session.get<TextClassifierOptions>().training, "text-classifier"), session.progress);
  nn::save_parameters(session.folder() / "text-classifier.safetensors", network.parameters());
  vocabulary.save(session.folder() / "text-classifier.words.txt");
  const auto classifier = models::as_text_classifier(std::move(network));
  const double accuracy = models::text_accuracy(*classifier, vocabulary, session.texts().test);
  return {{{"classifier",
            {{"test_accuracy", accuracy},
             {"test_texts", session.texts().test.size()},
             {"phrases", session.texts().phrases.size()},
             {"words", vocabulary.size()},
             {"train_seconds", summary.seconds}}}},
          {"text-classifier.safetensors", "text-classifier.words.txt"},
          fmt::format("test accuracy {:.2f} %", 100 * accuracy),
          summary.seconds};
}

StageResult train_judge(Session& session) {
  const TextCorpus corpus = text_corpus(session);
  models::LanguageModel model = language_model(session, corpus, false);
  const nn::LoopSummary summary = models::train_language_model(
      model, corpus.train, placed(session, session.get<models::LanguageModelTraining>(), "language-model"),
      session.progress);
  nn::save_parameters(session.folder() / "language-model.safetensors", model.parameters());
  const double perplexity = models::perplexity(model, corpus.test);
  return {{{"language_model", {{"test_perplexity", perplexity}, {"train_seconds", summary.seconds}}}},
          {"language-model.safetensors"},
          fmt::format("perplexity of test texts {:.0f}", perplexity),
          summary.seconds};
}

bool asks_for_fluency(Session& session) {
  return session.get<TextExplanationOptions>().training.fluency_weight > 0;
}

nlohmann::json fluency_content(Session& session) { return {{"asked", asks_for_fluency(session)}}; }

/// The judge stays unseen, so this is another network with other seeds, and the judge's keys say nothing about it.
StageResult train_fluency_model(Session& session) {
  if (!asks_for_fluency(session)) return {{}, {}, "not asked for"};
  const TextCorpus corpus = text_corpus(session);
  models::LanguageModel model = fluency_model(session, corpus, false);
  models::LanguageModelTraining training =
      placed(session, models::LanguageModelTraining{}, "text-fluency-model");
  training.seed = fluency_seed(training.seed);
  const nn::LoopSummary summary =
      models::train_language_model(model, learned_texts(corpus), training, session.progress);
  nn::save_parameters(session.folder() / "text-fluency-model.safetensors", model.parameters());
  const double perplexity = models::perplexity(model, corpus.test);
  return {{{"fluency_model", {{"test_perplexity", perplexity}, {"train_seconds", summary.seconds}}}},
          {"text-fluency-model.safetensors"},
          fmt::format("perplexity of test texts {:.0f}", perplexity),
          summary.seconds};
}

StageResult train_explanation(Session& session) {
  const TextCorpus corpus = text_corpus(session);
  const data::Vocabulary words = classifier_vocabulary(session);
  const auto classifier = explained_text_classifier(session, words);
  models::SentenceVae vae = sentence_vae(session, corpus, false);
  const at::Tensor translation = words.translation_from(corpus.vocabulary);
  text::Training options =
      placed(session, session.get<TextExplanationOptions>().training, "text-explanation");
  std::optional<models::LanguageModel> fluent;
  if (asks_for_fluency(session)) options.language = &fluent.emplace(fluency_model(session, corpus, true));
  const nn::LoopSummary summary =
      train_sentence_vae(vae, corpus, *classifier, translation, session.get<TextCorpusOptions>().longest,
                         options, session.progress);
  nn::save_parameters(session.folder() / "text-explanation.safetensors", vae.parameters());
  corpus.vocabulary.save(session.folder() / "text-explanation.words.txt");
  return {{{"train_seconds", summary.seconds},
           {"steps", summary.steps},
           {"step_seconds_median", summary.step_seconds_median},
           {"texts", learned_texts(corpus).size(0)},
           {"words", corpus.vocabulary.size()}},
          {"text-explanation.safetensors", "text-explanation.words.txt"},
          fmt::format("{:.3f} s a step", summary.step_seconds_median),
          summary.seconds};
}

StageResult measure(Session& session) {
  const TextModels models = text_models(session);
  nlohmann::json metrics =
      measure_text(models, session.get<TextMeasureOptions>(), session.seed(), session.progress);
  const auto& flow = metrics.at("flow").at("alpha");
  return {metrics,
          {},
          fmt::format("I(alpha; Y) = {:.3f} ± {:.3f} nats", flow.at("nats").get<double>(),
                      1.96 * flow.at("se").get<double>())};
}

}  // namespace

std::vector<Stage> text_stages() {
  Stage classifier{"text-classifier", {"text_classifier", "run.seed"},
                   {"data"},          train_classifier_of_texts,
                   vectors_content,   /*expensive=*/true};
  const std::vector<std::string_view> corpus = {"text.unit", "text.shortest", "text.longest", "text.least",
                                                "run.seed"};
  Stage judge{"language-model", corpus, {"data"}, train_judge};
  judge.keys.emplace_back("language_model");
  Stage fluency{"text-fluency-model", corpus, {"data"}, train_fluency_model, fluency_content};
  fluency.keys.emplace_back("text.undecided");
  Stage explanation{
      "text-explanation", corpus, {"data", "text-classifier", "text-fluency-model"}, train_explanation};
  explanation.keys.emplace_back("text.undecided");
  explanation.keys.emplace_back("text_explanation");
  explanation.expensive = true;
  Stage measures{"text-measures",
                 {"text", "run.seed"},
                 {"text-classifier", "language-model", "text-explanation"},
                 measure};
  return {classifier, judge, fluency, explanation, measures, text_trust_stage()};
}

}  // namespace whence::kinds
