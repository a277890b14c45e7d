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

at::Tensor with_alpha(const at::Tensor& codes, std::int64_t which, double value) {
  at::Tensor moved = codes.clone();
  moved.select(1, which).fill_(value);
  return moved;
}

std::string alpha_name(const TextModels& models, std::int64_t which) {
  return models.vae.shape().causal == 1 ? "alpha" : fmt::format("alpha_{}", which + 1);
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
    for (std::int64_t which = 0; which < models.vae.shape().causal; ++which)
      for (const double value : {-2.0, -1.0, 1.0, 2.0}) {
        const at::Tensor code = with_alpha(subjects.mean.narrow(0, i, 1), which, value);
        rows.push_back(entry(fmt::format("{} = {:+.0f}", alpha_name(models, which), value),
                             text::decode_greedily(models.vae, code, models.longest)));
      }
    sweeps.push_back(rows);
  }
  return sweeps;
}

nlohmann::json most_moved(const TextModels& models, const Subjects& subjects, std::int64_t count) {
  const std::int64_t causal = models.vae.shape().causal;
  std::vector<at::Tensor> low, high, p_low, p_high, change;
  for (std::int64_t which = 0; which < causal; ++which) {
    for (const double value : {-kFar, kFar}) {
      const at::Tensor texts =
          text::decode_greedily(models.vae, with_alpha(subjects.mean, which, value), models.longest);
      (value < 0 ? low : high).push_back(texts);
      (value < 0 ? p_low : p_high).push_back(models.answers(texts).select(1, -1));
    }
    change.push_back((p_high.back() - p_low.back()).abs());
  }
  const auto [largest, best] = at::stack(change).max(0);
  const std::int64_t shown = std::min(count, subjects.texts.size(0));
  const at::Tensor rows = std::get<1>(largest.topk(shown));
  nlohmann::json moved = nlohmann::json::array();
  for (std::int64_t i = 0; i < shown; ++i) {
    const auto row = rows[i].item<std::int64_t>(), which = best[row].item<std::int64_t>();
    const auto of = static_cast<std::size_t>(which);
    moved.push_back({{"text", as_text(models, subjects.texts[row])},
                     {"factor", alpha_name(models, which)},
                     {"low", as_text(models, low[of][row])},
                     {"high", as_text(models, high[of][row])},
                     {"probability_low", p_low[of][row].item<double>()},
                     {"probability_high", p_high[of][row].item<double>()}});
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
