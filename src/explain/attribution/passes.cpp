#include "explain/attribution/passes.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/platform/interrupt.h"
#include "whence/platform/parts.h"

namespace whence::attribution {
namespace {

void check(const at::Tensor& x, const at::Tensor& target) {
  TORCH_CHECK(x.dim() == 4 && x.size(0) > 0, "images must be (N, C, H, W), got ", x.sizes());
  TORCH_CHECK(target.dim() == 1 && target.size(0) == x.size(0) && target.scalar_type() == at::kLong,
              "one target for each of the ", x.size(0), " images, got ", target.sizes());
}

at::Tensor repeated_targets(const Request& request, std::int64_t changes) {
  return request.target.unsqueeze(0).expand({changes, -1}).reshape({-1});
}

}  // namespace

at::Tensor of_target(const at::Tensor& logits, const at::Tensor& target, Score score) {
  const at::Tensor all = score == Score::logit ? logits : logits.softmax(1);
  return all.gather(1, target.unsqueeze(1)).squeeze(1);
}

void in_passes(const models::Classifier& classifier, std::int64_t rows, std::int64_t batch,
               const std::function<void(std::int64_t first, std::int64_t count)>& body) {
  for (std::int64_t first = 0; first < rows; first += batch) {
    throw_if_interrupted();
    const std::int64_t count = std::min(batch, rows - first);
    const std::int64_t parts = classifier.network() == nullptr ? 1 : parts_for(count);
    run_parts(parts, [&](std::int64_t part) {
      const Rows own = part_of(count, part, parts);
      body(first + own.first, own.count);
    });
  }
}

at::Tensor scores_of(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                     Score score, std::int64_t batch) {
  check(x, target);
  const at::NoGradGuard no_grad;
  const at::Tensor scores = at::empty({x.size(0)}, x.options());
  in_passes(classifier, x.size(0), batch, [&](std::int64_t first, std::int64_t count) {
    const at::Tensor logits = classifier.logits(x.narrow(0, first, count));
    scores.narrow(0, first, count).copy_(of_target(logits, target.narrow(0, first, count), score));
  });
  return scores;
}

at::Tensor answers_to(const models::Classifier& classifier, const at::Tensor& x, std::int64_t batch) {
  const at::NoGradGuard no_grad;
  const at::Tensor answers = at::empty({x.size(0)}, x.options().dtype(at::kLong));
  in_passes(classifier, x.size(0), batch, [&](std::int64_t first, std::int64_t count) {
    answers.narrow(0, first, count).copy_(classifier.logits(x.narrow(0, first, count)).argmax(1));
  });
  return answers;
}

ScoreGradient score_gradient(const models::Classifier& classifier, const at::Tensor& x,
                             const at::Tensor& target, const Options& options) {
  check(x, target);
  const ScoreGradient result = {at::empty({x.size(0)}, x.options()), at::empty_like(x)};
  in_passes(classifier, x.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    const at::AutoGradMode with_gradients(true);
    const at::Tensor own = x.narrow(0, first, count).detach().clone().requires_grad_();
    const at::Tensor scores =
        of_target(classifier.logits(own), target.narrow(0, first, count), options.score);
    const at::Tensor gradient = torch::autograd::grad({scores.sum()}, {own}).front();
    const at::NoGradGuard no_grad;
    result.scores.narrow(0, first, count).copy_(scores);
    result.gradient.narrow(0, first, count).copy_(gradient);
  });
  return result;
}

at::Tensor changed_scores(const Request& request, const at::Tensor& changed, const Options& options) {
  const std::int64_t changes = changed.size(0);
  return scores_of(request.classifier, changed.flatten(0, 1), repeated_targets(request, changes),
                   options.score, options.batch)
      .reshape({changes, -1});
}

ScoreGradient changed_gradients(const Request& request, const at::Tensor& changed, const Options& options) {
  const std::int64_t changes = changed.size(0);
  const ScoreGradient flat =
      score_gradient(request.classifier, changed.flatten(0, 1), repeated_targets(request, changes), options);
  return {flat.scores.reshape({changes, -1}), flat.gradient.view(changed.sizes())};
}

void in_changes(const Request& request, std::int64_t changes, const Options& options,
                const std::function<void(std::int64_t first, std::int64_t count)>& body) {
  const std::int64_t at_once = std::max<std::int64_t>(1, options.batch / request.x.size(0));
  for (std::int64_t first = 0; first < changes; first += at_once)
    body(first, std::min(at_once, changes - first));
}

at::Tensor excess(const at::Tensor& values, const at::Tensor& gain) {
  return values.to(at::kDouble).flatten(1).sum(1) - gain.to(at::kDouble);
}

std::string_view name_of(Score score) { return score == Score::logit ? "logit" : "probability"; }

}  // namespace whence::attribution
