#include "whence/explain/text/fluency.h"

namespace whence::text {
namespace {

/// (N, T): the places up to and including the end; `end` false: without it.
at::Tensor places(const RelaxedTexts& texts, bool end) {
  const at::Tensor place = at::arange(texts.numbers.size(1), texts.numbers.options()).unsqueeze(0);
  const at::Tensor lengths = texts.lengths.unsqueeze(1);
  return end ? place.le(lengths) : place.lt(lengths);
}

}  // namespace

at::Tensor nats_per_word(const models::LanguageModel& model, const RelaxedTexts& texts) {
  at::Tensor nats;  // of each candidate, (N, T, C)
  {
    const at::NoGradGuard no_gradients;
    const at::Tensor queries = model.queries(texts.numbers.narrow(1, 0, texts.numbers.size(1) - 1));
    nats =
        -at::log_softmax(at::linear(queries, model.embedding(), model.bias()), 2).gather(2, texts.candidates);
  }
  const at::Tensor counted = places(texts, true);
  return ((texts.shares * nats).sum(2) * counted).sum(1) / counted.sum(1);
}

at::Tensor nats_per_word(const models::LanguageModel& model, const at::Tensor& numbers) {
  return models::negative_log_likelihood(model, numbers) / (data::lengths_of(numbers) + 1);
}

at::Tensor repeated_pairs(const RelaxedTexts& texts) {
  const std::int64_t pairs = texts.numbers.size(1) - 1;
  if (pairs < 1) return texts.shares.sum({1, 2}) * 0;
  const at::Tensor first = texts.numbers.narrow(1, 0, pairs), second = texts.numbers.narrow(1, 1, pairs),
                   candidates = texts.candidates.narrow(1, 1, pairs);
  // (N, pair, candidate, earlier pair)
  const at::Tensor same_first = first.unsqueeze(2).eq(first.unsqueeze(1)).tril(-1).unsqueeze(2);
  const at::Tensor same_second = candidates.unsqueeze(3).eq(second.unsqueeze(1).unsqueeze(1));
  const at::Tensor repeated = same_first.logical_and(same_second).any(3);
  const at::Tensor each = (texts.shares.narrow(1, 1, pairs) * repeated).sum(2);
  return (each * places(texts, false).narrow(1, 1, pairs)).sum(1);
}

}  // namespace whence::text
