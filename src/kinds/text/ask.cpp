#include "kinds/text/ask.h"

#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/text/measures.h"
#include "whence/platform/interrupt.h"

namespace whence::kinds {
namespace {

DecodedText decoded(const TextModels& models, const at::Tensor& numbers, const at::Tensor& answer,
                    double value) {
  return {models.corpus.vocabulary.words_of(text::rows_of(numbers.unsqueeze(0)).front()), answer, value};
}

/// Codes (n, D) as texts, with the factor's values.
std::vector<DecodedText> decode(const TextModels& models, const at::Tensor& codes,
                                const std::vector<double>& values) {
  const at::Tensor texts = text::decode_greedily(models.vae, codes, models.longest);
  const at::Tensor answers = models.answers(texts);
  std::vector<DecodedText> all;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    all.push_back(decoded(models, texts[row], answers[row], values[i]));
  }
  return all;
}

double accuracy(const TextModels& models, const at::Tensor& texts, const at::Tensor& labels) {
  return models.answers(texts).argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
}

}  // namespace

at::Tensor text_codes(const TextModels& models, const at::Tensor& numbers) {
  const at::NoGradGuard no_gradients;
  return models.vae
      .encode(at::embedding(models.vae.embedding(), numbers), data::lengths_of(numbers).clamp_min(1))
      .mean;
}

at::Tensor test_rows(const TextModels& models, std::int64_t count, at::Generator& generator) {
  const std::int64_t all = models.corpus.test.size(0);
  return at::randperm(all, generator, at::kLong).narrow(0, 0, count == 0 ? all : std::min(count, all));
}

AskedText ask(const TextModels& models, const std::string& text) {
  if (data::first_line_not_utf8(text) > 0) fail_usage("the text is not UTF-8; convert it");
  AskedText asked{models.tokenizer.cut(text), {}, {}, {}, 0};
  if (asked.words.empty()) fail_usage("the text has no word; give one with words");
  asked.answer = models::text_probabilities(*models.classifier, to_numbers(models.words, {asked.words}))[0];
  data::Words read = asked.words;
  const auto most = static_cast<std::size_t>(models.longest - 1);  // a decoded text may have one more
  if (read.size() > most) {
    asked.left_out = static_cast<std::int64_t>(read.size() - most);
    read.resize(most);
  }
  for (const std::string& word : read)
    if (models.corpus.vocabulary.number_of(word) == data::Vocabulary::kUnknown) asked.unknown.push_back(word);
  if (asked.unknown.size() == read.size())
    fail_usage("the generator knows no word of '{}'; it knows {} words of the texts that it was trained on",
               models.tokenizer.join(read), models.corpus.vocabulary.size() - data::Vocabulary::kFirstWord);
  asked.code = text_codes(models, to_numbers(models.corpus.vocabulary, {read}));
  return asked;
}

std::vector<AskedText> ask_test_texts(const TextModels& models, std::int64_t count, std::uint64_t seed) {
  Generator generator = make_generator(seed, "text/asked");
  const at::Tensor texts = models.corpus.test.index_select(0, test_rows(models, count, generator));
  const at::Tensor answers = models.answers(texts), codes = text_codes(models, texts);
  std::vector<AskedText> all;
  for (std::int64_t i = 0; i < texts.size(0); ++i)
    all.push_back({decoded(models, texts[i], answers[i], 0).words, answers[i], codes.narrow(0, i, 1), {}, 0});
  return all;
}

DecodedText reconstruction_of(const TextModels& models, const at::Tensor& code) {
  return decode(models, code, {0}).front();
}

std::vector<DecodedText> sweep_text(const TextModels& models, const at::Tensor& code, std::int64_t factor,
                                    const std::vector<double>& values) {
  at::Tensor codes = code.repeat({std::ssize(values), 1});
  codes.select(1, factor).add_(at::tensor(values).to(codes.scalar_type()));
  return decode(models, codes, values);
}

std::optional<ChangedText> counterfactual_of(const TextModels& models, const at::Tensor& code,
                                             const text::ChangeSearch& search) {
  const auto change = text::nearest_change(
      models.vae, code, models.longest, [&](const at::Tensor& texts) { return models.answers(texts); },
      search);
  if (!change) return std::nullopt;
  return ChangedText{decoded(models, change->numbers, change->answer, change->alpha.front()), change->alpha,
                     change->distance};
}

flow::Ablation ablate_texts(const TextModels& models, std::int64_t count, std::uint64_t seed) {
  Generator generator = make_generator(seed, "text/ablation");
  const at::Tensor rows = test_rows(models, count, generator);
  const at::Tensor texts = models.corpus.test.index_select(0, rows),
                   labels = models.corpus.test_labels.index_select(0, rows),
                   codes = text_codes(models, texts),
                   fresh = at::randn(codes.sizes(), generator, codes.options());
  const auto right = [&](const at::Tensor& z) {
    throw_if_interrupted();
    return accuracy(models, text::decode_greedily(models.vae, z, models.longest), labels);
  };
  flow::Ablation ablation{accuracy(models, texts, labels), right(codes), {}, texts.size(0)};
  for (std::int64_t i = 0; i < codes.size(1); ++i) {
    at::Tensor changed = codes.clone();
    changed.select(1, i).copy_(fresh.select(1, i));
    ablation.replaced.push_back(right(changed));
  }
  return ablation;
}

}  // namespace whence::kinds
