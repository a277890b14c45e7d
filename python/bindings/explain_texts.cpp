// Generative causal explanations of classifiers of texts: training in memory, run folders, and what can be asked.
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "bindings/texts.h"
#include "kinds/text/ask.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/flow/trust.h"
#include "whence/explain/text/decoding.h"
#include "whence/explain/text/measures.h"

namespace whence::python {
namespace {

using kinds::TextModels;

data::TextSet text_set(const std::vector<std::string>& texts, const std::vector<std::int64_t>& labels,
                       const std::vector<std::string>& class_names, const data::Tokenizer& tokenizer) {
  data::TextSet set{{}, class_names};
  const std::vector<data::Words> words = words_of_texts(texts, tokenizer);
  for (std::size_t i = 0; i < words.size(); ++i) set.texts.push_back({words[i], labels[i]});
  return set;
}

using Labelled = std::pair<std::vector<std::string>, std::vector<std::int64_t>>;

kinds::TextCorpus corpus_of(const Labelled& train, const Labelled& test,
                            const std::vector<std::string>& class_names, const data::Tokenizer& tokenizer,
                            const kinds::TextCorpusOptions& options) {
  data::TextSplits splits;
  splits.train = text_set(train.first, train.second, class_names, tokenizer);
  splits.test = text_set(test.first, test.second, class_names, tokenizer);
  splits.phrases = data::phrases_of(splits.train);
  splits.test_phrases = data::phrases_of(splits.test);
  return kinds::text_corpus(splits, options);
}

/// A language model of the corpus: the judge, or that of the fluency term.
models::LanguageModel trained_language_model(const kinds::TextCorpus& corpus, const at::Tensor& texts,
                                             std::uint64_t seed, kinds::TextJudge which,
                                             const ProgressCallback& progress) {
  models::LanguageModel model = kinds::new_language_model(corpus, seed, which);
  models::LanguageModelTraining training;
  training.seed = which == kinds::TextJudge::judge ? seed : kinds::fluency_seed(seed);
  models::train_language_model(model, texts, training, progress);
  return model;
}

std::shared_ptr<TextModels> explain_texts(const TextReader& reader, const Labelled& train,
                                          const Labelled& test, const std::vector<std::string>& class_names,
                                          const Texts& options, std::uint64_t seed,
                                          const py::object& progress) {
  config::Values values = text_explanation_defaults();
  read_options(text_explanation_keys(), options, values);
  kinds::check_text(values, "explain_texts");
  const auto& corpus_options = values.get<kinds::TextCorpusOptions>();
  const auto& explanation = values.get<kinds::TextExplanationOptions>();
  const ProgressCallback told = watched(progress);
  const py::gil_scoped_release released;
  kinds::TextCorpus corpus = corpus_of(train, test, class_names, reader.tokenizer, corpus_options);
  models::LanguageModel judge =
      trained_language_model(corpus, corpus.train, seed, kinds::TextJudge::judge, told);
  text::Training training = explanation.training;
  training.seed = seed;
  std::optional<models::LanguageModel> fluent;
  if (training.fluency_weight > 0)
    training.language = &fluent.emplace(
        trained_language_model(corpus, learned_texts(corpus), seed, kinds::TextJudge::fluency, told));
  models::SentenceVae vae = kinds::new_sentence_vae(explanation.shape, corpus, std::ssize(class_names), seed);
  const at::Tensor translation = reader.words.translation_from(corpus.vocabulary);
  kinds::train_sentence_vae(vae, corpus, *reader.classifier, translation, corpus_options.longest, training,
                            told);
  return std::make_shared<TextModels>(TextModels{std::move(corpus), reader.words, reader.classifier,
                                                 std::move(judge), std::move(vae), translation,
                                                 corpus_options.longest + 1, reader.tokenizer});
}

/// What a run folder holds; without its texts. `options`: of [text] and [text_explanation].
std::shared_ptr<TextModels> load_texts(const TextReader& reader, const std::string& folder,
                                       const Texts& options) {
  config::Values values = text_explanation_defaults();
  read_options(text_explanation_keys(), options, values);
  const std::filesystem::path place = folder;
  const at::Tensor none = at::zeros({0, 1}, at::kLong), no_labels = at::zeros({0}, at::kLong);
  kinds::TextCorpus corpus{
      data::Vocabulary::load(place / "text-explanation.words.txt"), none, none, no_labels, no_labels, none};
  models::LanguageModel judge = kinds::new_language_model(corpus, 0, kinds::TextJudge::judge);
  nn::load_parameters(place / "language-model.safetensors", judge.parameters());
  models::SentenceVae vae = kinds::new_sentence_vae(values.get<kinds::TextExplanationOptions>().shape, corpus,
                                                    reader.classifier->classes(), 0);
  nn::load_parameters(place / "text-explanation.safetensors", vae.parameters());
  judge.parameters().freeze();
  vae.parameters().freeze();
  const at::Tensor translation = reader.words.translation_from(corpus.vocabulary);
  return std::make_shared<TextModels>(
      TextModels{std::move(corpus), reader.words, reader.classifier, std::move(judge), std::move(vae),
                 translation, values.get<kinds::TextCorpusOptions>().longest + 1, reader.tokenizer});
}

void save_texts(TextModels& models, const std::string& folder) {
  const std::filesystem::path place = folder;
  models.corpus.vocabulary.save(place / "text-explanation.words.txt");
  nn::save_parameters(place / "text-explanation.safetensors", models.vae.parameters());
  nn::save_parameters(place / "language-model.safetensors", models.judge.parameters());
}

/// (words, probabilities, value)
py::tuple shown(const TextModels& models, const kinds::DecodedText& text) {
  return py::make_tuple(models.tokenizer.join(text.words), text.answer, text.value);
}

py::dict ask_text(const TextModels& models, const std::string& text) {
  kinds::AskedText asked;
  {
    const py::gil_scoped_release released;
    asked = kinds::ask(models, text);
  }
  using namespace pybind11::literals;
  return py::dict("text"_a = models.tokenizer.join(asked.words), "answer"_a = asked.answer,
                  "code"_a = asked.code, "unknown"_a = asked.unknown, "left_out"_a = asked.left_out);
}

py::list sweep_texts(const TextModels& models, const at::Tensor& code, std::int64_t factor,
                     const std::vector<double>& values) {
  if (factor < 0 || factor >= models.vae.shape().latents())
    fail_usage("there is no latent factor {}; there are {}", factor, models.vae.shape().latents());
  std::vector<kinds::DecodedText> found;
  {
    const py::gil_scoped_release released;
    found = kinds::sweep_text(models, code, factor, values);
  }
  py::list all;
  for (const kinds::DecodedText& text : found) all.append(shown(models, text));
  return all;
}

/// (text, probabilities, alphas, distance); None where nothing is found.
py::object counterfactual_text(const TextModels& models, const at::Tensor& code,
                               const std::optional<std::int64_t>& to, double probability, double radius,
                               double step, std::int64_t rays) {
  text::ChangeSearch search;
  search.to = to;
  search.probability = probability;
  search.radius = radius;
  search.step = step;
  search.rays = rays;
  std::optional<kinds::ChangedText> found;
  {
    const py::gil_scoped_release released;
    found = kinds::counterfactual_of(models, code, search);
  }
  if (!found) return py::none();
  return py::make_tuple(models.tokenizer.join(found->words), found->answer, found->alpha, found->distance);
}

/// Codes of texts that are numbers of the vocabulary of `texts_of`. Error: a word that these models do not know.
at::Tensor codes_of_others(const TextModels& models, const TextModels& texts_of, const at::Tensor& texts) {
  std::vector<data::Words> words;
  for (const text::Numbers& row : text::rows_of(texts)) {
    words.push_back(texts_of.corpus.vocabulary.words_of(row));
    if (!models.corpus.vocabulary.knows_all(words.back()))
      fail("the other explanation does not know the words of these texts; give one of the same texts");
  }
  return text_codes(models, to_numbers(models.corpus.vocabulary, words));
}

/// As kinds::check_text_trust, for a classifier that is given. `alpha`, `beta`: (nats, standard error).
std::string trust_texts(const TextModels& models, std::pair<double, double> alpha,
                        std::pair<double, double> beta, const TextModels* other, std::int64_t count,
                        std::uint64_t seed) {
  const py::gil_scoped_release released;
  Generator draws = make_generator(seed, "text/trust");
  const at::Tensor texts = models.corpus.test.index_select(0, kinds::test_rows(models, count, draws));
  const at::Tensor again =
      text::decode_greedily(models.vae, kinds::text_codes(models, texts), models.longest);
  const at::Tensor kept = models.answers(again).argmax(1).eq(models.answers(texts).argmax(1));
  const double share = kept.to(at::kDouble).mean().item<double>();
  const auto shown = static_cast<double>(texts.size(0));
  nlohmann::json trust = {
      {"leak", flow::to_json(flow::leaked_share({alpha.first, alpha.second}, {beta.first, beta.second}))},
      {"reencoding", flow::to_json(flow::Share{share, std::sqrt(share * (1 - share) / shown)})},
      {"randomization", {{"left_out", "the layers of the classifier are unknown"}}}};
  trust["reencoding"]["texts"] = texts.size(0);
  if (other != nullptr)
    trust["seeds"] = flow::to_json(
        flow::seed_agreement(kinds::text_codes(models, texts), models.vae.shape().causal,
                             codes_of_others(*other, models, texts), other->vae.shape().causal));
  return trust.dump();
}

py::dict ablation_of_texts(const TextModels& models, std::int64_t count, std::uint64_t seed) {
  flow::Ablation found;
  {
    const py::gil_scoped_release released;
    found = kinds::ablate_texts(models, count, seed);
  }
  using namespace pybind11::literals;
  return py::dict("original"_a = found.original, "reencoded"_a = found.reencoded,
                  "replaced"_a = found.replaced, "samples"_a = found.samples);
}

std::string measure(const TextModels& models, std::int64_t outer, std::int64_t inner, std::uint64_t seed,
                    const py::object& progress) {
  kinds::TextMeasureOptions options;
  options.outer = outer;
  options.inner = inner;
  const ProgressCallback told = watched(progress);
  const py::gil_scoped_release released;
  return kinds::measure_text(models, options, seed, told).dump();
}

std::string text_explanation_toml(const Texts& options) {
  config::Values values = text_explanation_defaults();
  read_options(text_explanation_keys(), options, values);
  const std::vector<config::Section> sections = kinds::text_sections();
  return config::to_toml({sections.front(), sections.back()}, values);
}

}  // namespace

config::Values text_explanation_defaults() {
  config::Values values;
  values.get<kinds::TextCorpusOptions>().unit = kinds::TextUnit::texts;
  text::Training& training = values.get<kinds::TextExplanationOptions>().training;
  training.steps = 6000;
  training.lambda = 32;
  training.kl_weight = 0.3;
  training.cycle_weight = 2;
  training.keep_weight = 1.5;
  training.fluency_weight = 2;
  training.repeat_weight = 3;
  return values;
}

std::vector<config::Key> text_explanation_keys() {
  const std::vector<config::Section> sections = kinds::text_sections();
  std::vector<config::Key> keys = sections.back().keys;
  for (const config::Key& key : sections.front().keys)
    if (key.name == "unit" || key.name == "shortest" || key.name == "longest" || key.name == "least")
      keys.push_back(key);
  return keys;
}

void add_explain_texts(py::module_& module) {
  py::class_<TextModels, std::shared_ptr<TextModels>>(module, "TextModels",
                                                      "The networks behind a TextExplanation.")
      .def_property_readonly("causal", [](const TextModels& models) { return models.vae.shape().causal; })
      .def_property_readonly("latents", [](const TextModels& models) { return models.vae.shape().latents(); })
      .def("ask", &ask_text)
      .def("sweep", &sweep_texts)
      .def("counterfactual", &counterfactual_text)
      .def("trust", &trust_texts)
      .def("ablate", &ablation_of_texts)
      .def("measure", &measure)
      .def("save", &save_texts);
  module.def("explain_texts", &explain_texts);
  module.def("load_texts", &load_texts);
  module.def("text_explanation_toml", &text_explanation_toml);
}

}  // namespace whence::python
