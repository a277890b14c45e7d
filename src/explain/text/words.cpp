#include "whence/explain/text/words.h"

#include "whence/data/text/vocabulary.h"

namespace whence::text {
namespace {

using data::Vocabulary;

at::Tensor chosen(const at::Tensor& logits, const at::Tensor& target) {
  return logits.gather(1, target.unsqueeze(1)).squeeze(1);
}

}  // namespace

at::Tensor word_occlusion(const models::TextClassifier& classifier, const at::Tensor& numbers,
                          const at::Tensor& target) {
  const at::NoGradGuard no_gradients;
  const at::Tensor whole = chosen(classifier.logits(numbers), target);
  std::vector<at::Tensor> falls;
  for (std::int64_t t = 0; t < numbers.size(1); ++t) {
    at::Tensor without = numbers.clone();
    const at::Tensor word = numbers.select(1, t);
    without.select(1, t).copy_(word.masked_fill(word.ne(Vocabulary::kEnd), Vocabulary::kUnknown));
    falls.push_back(whole - chosen(classifier.logits(without), target));
  }
  return at::stack(falls, 1);
}

at::Tensor word_integrated_gradients(const models::TextClassifier& classifier, const at::Tensor& numbers,
                                     const at::Tensor& target, std::int64_t steps) {
  const at::Tensor vectors = at::embedding(classifier.embedding(), numbers).detach();
  const at::Tensor unknown = classifier.embedding()[Vocabulary::kUnknown].detach();
  const at::Tensor baseline = at::where(numbers.ne(Vocabulary::kEnd).unsqueeze(2), unknown, vectors);
  at::Tensor sum = at::zeros_like(vectors);
  for (std::int64_t step = 0; step < steps; ++step) {
    const double share = (static_cast<double>(step) + 0.5) / static_cast<double>(steps);
    const at::AutoGradMode gradients(true);
    const at::Tensor point = (baseline + share * (vectors - baseline)).requires_grad_(true);
    const at::Tensor score = chosen(classifier.logits_of(point, numbers), target).sum();
    sum += torch::autograd::grad({score}, {point}).front();
  }
  return (sum * (vectors - baseline)).sum(2) / static_cast<double>(steps);
}

at::Tensor word_smooth_gradients(const models::TextClassifier& classifier, const at::Tensor& numbers,
                                 const at::Tensor& target, at::Generator& generator, std::int64_t samples,
                                 double noise) {
  const at::Tensor vectors = at::embedding(classifier.embedding(), numbers).detach();
  const at::Tensor words = numbers.ne(Vocabulary::kEnd).unsqueeze(2);
  const at::Tensor deviation = noise * (vectors.masked_fill(words.logical_not(), 0).amax({1, 2}, true) -
                                        vectors.masked_fill(words.logical_not(), 0).amin({1, 2}, true));
  at::Tensor sum = at::zeros_like(vectors);
  for (std::int64_t i = 0; i < samples; ++i) {
    const at::AutoGradMode gradients(true);
    const at::Tensor drawn = at::randn(vectors.sizes(), generator, vectors.options().requires_grad(false));
    const at::Tensor point = (vectors + deviation * drawn).requires_grad_(true);
    const at::Tensor score = chosen(classifier.logits_of(point, numbers), target).sum();
    sum += torch::autograd::grad({score}, {point}).front();
  }
  return (sum * vectors * words).sum(2) / static_cast<double>(samples);
}

}  // namespace whence::text
