#include "kinds/text/subjects.h"

#include "kinds/text/ask.h"
#include "whence/explain/text/measures.h"
#include "whence/explain/text/words.h"

namespace whence::kinds {
namespace {

constexpr std::int64_t kPoints = 300;  ///< of the plane: more hide one another

data::Words words_of(const TextModels& models, const at::Tensor& numbers) {
  return models.corpus.vocabulary.words_of(text::rows_of(numbers.unsqueeze(0)).front());
}

std::string as_text(const TextModels& models, const at::Tensor& numbers) {
  return models.tokenizer.join(words_of(models, numbers));
}

std::vector<double> values_of(const at::Tensor& values) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < values.size(0); ++i) all.push_back(values[i].item<double>());
  return all;
}

}  // namespace

Subjects subjects_of(const TextModels& models, std::int64_t count, at::Generator& generator) {
  const at::Tensor rows = test_rows(models, count, generator);
  Subjects subjects{
      models.corpus.test.index_select(0, rows), models.corpus.test_labels.index_select(0, rows), {}, {}};
  const at::NoGradGuard no_gradients;
  const models::Posterior posterior = models.vae.encode(at::embedding(models.vae.embedding(), subjects.texts),
                                                        data::lengths_of(subjects.texts));
  subjects.mean = posterior.mean;
  subjects.log_variance = posterior.log_variance;
  return subjects;
}

at::Tensor with_alpha(const at::Tensor& codes, double value) {
  at::Tensor moved = codes.clone();
  moved.select(1, 0).fill_(value);
  return moved;
}

nlohmann::json sweeps_of(const TextModels& models, const Subjects& subjects, std::int64_t count) {
  nlohmann::json sweeps = nlohmann::json::array();
  for (std::int64_t i = 0; i < std::min(count, subjects.texts.size(0)); ++i) {
    const auto entry = [&](const std::string& name, const at::Tensor& text) {
      const at::Tensor p = models.answers(text)[0];
      return nlohmann::json{{"name", name},
                            {"text", as_text(models, text[0])},
                            {"probability", p[p.size(0) - 1].item<double>()}};
    };
    nlohmann::json rows = {
        entry("the text", subjects.texts.narrow(0, i, 1)),
        entry("reconstruction",
              text::decode_greedily(models.vae, subjects.mean.narrow(0, i, 1), models.longest))};
    for (const double value : {-2.0, -1.0, 1.0, 2.0})
      rows.push_back(entry(fmt::format("alpha = {:+.0f}", value),
                           text::decode_greedily(models.vae, with_alpha(subjects.mean.narrow(0, i, 1), value),
                                                 models.longest)));
    sweeps.push_back(rows);
  }
  return sweeps;
}

nlohmann::json most_moved(const TextModels& models, const Subjects& subjects, std::int64_t count) {
  const auto at_end = [&](double value) {
    return text::decode_greedily(models.vae, with_alpha(subjects.mean, value), models.longest);
  };
  const at::Tensor low = at_end(-kFar), high = at_end(kFar);
  const auto last_class = [&](const at::Tensor& texts) { return models.answers(texts).select(1, -1); };
  const at::Tensor p_low = last_class(low), p_high = last_class(high);
  const std::int64_t shown = std::min(count, subjects.texts.size(0));
  const at::Tensor rows = std::get<1>((p_high - p_low).abs().topk(shown));
  nlohmann::json moved = nlohmann::json::array();
  for (std::int64_t i = 0; i < shown; ++i) {
    const auto row = rows[i].item<std::int64_t>();
    moved.push_back({{"text", as_text(models, subjects.texts[row])},
                     {"low", as_text(models, low[row])},
                     {"high", as_text(models, high[row])},
                     {"probability_low", p_low[row].item<double>()},
                     {"probability_high", p_high[row].item<double>()}});
  }
  return moved;
}

nlohmann::json plane_of(const TextModels& models, const Subjects& subjects, const nlohmann::json& flow) {
  const nlohmann::json& factors = flow.at("factors");
  std::size_t second = 1;
  if (models.vae.shape().causal == 1)
    for (std::size_t i = 1; i < factors.size(); ++i)
      if (factors[i].at("nats") > factors[second].at("nats")) second = i;
  const std::int64_t shown = std::min(kPoints, subjects.texts.size(0));
  const at::Tensor answers = models.answers(subjects.texts.narrow(0, 0, shown)).argmax(1);
  nlohmann::json points = nlohmann::json::array();
  for (std::int64_t i = 0; i < shown; ++i)
    points.push_back({subjects.mean[i][0].item<double>(),
                      subjects.mean[i][static_cast<std::int64_t>(second)].item<double>(),
                      answers[i].item<std::int64_t>()});
  return {{"x", factors[0].at("name")}, {"y", factors[second].at("name")}, {"points", points}};
}

nlohmann::json word_maps_of(const TextModels& models, const Subjects& subjects, std::int64_t count,
                            at::Generator& generator) {
  nlohmann::json maps = nlohmann::json::array();
  for (std::int64_t i = 0; i < std::min(count, subjects.texts.size(0)); ++i) {
    const at::Tensor text = subjects.texts.narrow(0, i, 1);
    const std::int64_t length = data::lengths_of(text)[0].item<std::int64_t>();
    const at::Tensor read = models.translation.index_select(0, text[0].narrow(0, 0, length)).unsqueeze(0);
    const at::Tensor answer = models::text_probabilities(*models.classifier, read).argmax(1);
    // One value a word, as the classifier reads it: pieces stay apart.
    maps.push_back({{"text", data::join_words(words_of(models, text[0]))},
                    {"answer", answer[0].item<std::int64_t>()},
                    {"integrated_gradients",
                     values_of(text::word_integrated_gradients(*models.classifier, read, answer)[0])},
                    {"smooth_gradients",
                     values_of(text::word_smooth_gradients(*models.classifier, read, answer, generator)[0])},
                    {"occlusion", values_of(text::word_occlusion(*models.classifier, read, answer)[0])}});
  }
  return maps;
}

}  // namespace whence::kinds
