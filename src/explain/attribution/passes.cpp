#include "explain/attribution/score.h"

#include <torch/csrc/autograd/autograd.h>

#include "core/compatibility.h"
#include "whence/platform/parts.h"

namespace whence::attribution {
namespace {

/// Images of which activations and gradients are held at once.
constexpr std::int64_t kAtOnce = 64;

void check(const at::Tensor& x, const at::Tensor& target) {
  TORCH_CHECK(x.dim() == 4 && x.size(0) > 0, "images must be (N, C, H, W), got ", x.sizes());
  TORCH_CHECK(target.dim() == 1 && target.size(0) == x.size(0) && target.scalar_type() == at::kLong,
              "one target for each of the ", x.size(0), " images, got ", target.sizes());
}

at::Tensor of_target(const at::Tensor& logits, const at::Tensor& target, Score score) {
  const at::Tensor all = score == Score::logit ? logits : logits.softmax(1);
  return all.gather(1, target.unsqueeze(1)).squeeze(1);
}

/// Calls body(first, count) for batches of the rows; known networks take several at once, a thread each.
template <class Body>
void in_batches(const models::Classifier& classifier, std::int64_t rows, const Body& body) {
  for (std::int64_t first = 0; first < rows; first += kAtOnce) {
    const std::int64_t count = std::min(kAtOnce, rows - first);
    const std::int64_t parts = classifier.network() == nullptr ? 1 : parts_for(count);
    run_parts(parts, [&](std::int64_t part) {
      const Rows own = part_of(count, part, parts);
      body(first + own.first, own.count);
    });
  }
}

}  // namespace

at::Tensor scores_of(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                     Score score) {
  check(x, target);
  const at::NoGradGuard no_grad;
  const at::Tensor scores = at::empty({x.size(0)}, at::kFloat);
  in_batches(classifier, x.size(0), [&](std::int64_t first, std::int64_t count) {
    const at::Tensor logits = classifier.logits(x.narrow(0, first, count));
    scores.narrow(0, first, count).copy_(of_target(logits, target.narrow(0, first, count), score));
  });
  return scores;
}

at::Tensor answers_to(const models::Classifier& classifier, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  const at::Tensor answers = at::empty({x.size(0)}, at::kLong);
  in_batches(classifier, x.size(0), [&](std::int64_t first, std::int64_t count) {
    answers.narrow(0, first, count).copy_(classifier.logits(x.narrow(0, first, count)).argmax(1));
  });
  return answers;
}

ScoreGradient score_gradient(const models::Classifier& classifier, const at::Tensor& x,
                             const at::Tensor& target, Score score) {
  check(x, target);
  const ScoreGradient result = {at::empty({x.size(0)}, at::kFloat), at::empty_like(x)};
  in_batches(classifier, x.size(0), [&](std::int64_t first, std::int64_t count) {
    const at::AutoGradMode with_gradients(true);
    const at::Tensor own = x.narrow(0, first, count).detach().clone().requires_grad_();
    const at::Tensor scores = of_target(classifier.logits(own), target.narrow(0, first, count), score);
    const at::Tensor gradient = torch::autograd::grad({scores.sum()}, {own}).front();
    const at::NoGradGuard no_grad;
    result.scores.narrow(0, first, count).copy_(scores);
    result.gradient.narrow(0, first, count).copy_(gradient);
  });
  return result;
}

std::string_view name_of(Score score) { return score == Score::logit ? "logit" : "probability"; }

}  // namespace whence::attribution
