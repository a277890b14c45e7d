#include "explain/counterfactual/refine.h"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "explain/counterfactual/descent.h"
#include "whence/core/error.h"
#include "whence/nn/training/adam.h"
#include "whence/platform/interrupt.h"
#include "whence/platform/parts.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

/// The best code of each image so far.
class BestCodes {
 public:
  explicit BestCodes(const ChosenCodes& start)
      : best_{start.codes, start.kept, start.errors},
        least_(at::full({start.codes.size(0)}, std::numeric_limits<double>::infinity(),
                        start.errors.options().dtype(at::kDouble))) {}

  /// error, loss, lost: (n), the iterate's own. The first iterate is the start.
  void consider(const Tensor& codes, const Tensor& error, const Tensor& loss, const Tensor& lost) {
    if (!first_.defined()) first_ = error.clone();
    const Tensor cost = loss.to(at::kDouble) + lost;
    const Tensor better = cost.lt(least_).logical_and(error.le(first_));
    least_ = at::where(better, cost, least_);
    best_.codes = at::where(better.unsqueeze(1), codes, best_.codes);
    best_.kept = at::where(better, lost.eq(0), best_.kept);
    best_.errors = at::where(better, error.to(best_.errors.scalar_type()), best_.errors);
  }
  const ChosenCodes& get() const { return best_; }

 private:
  ChosenCodes best_;
  Tensor least_, first_;
};

ChosenCodes refine_rows(const models::Decoder& decoder, const models::Classifier& classifier,
                        const Tensor& images, const Tensor& answers, const ChosenCodes& start,
                        const CodeOptions& options) {
  BestCodes best(start);
  Tensor codes = start.codes;
  nn::AdamSearch adam(codes);
  for (std::int64_t step = 0; step <= options.refinement; ++step) {
    throw_if_interrupted();
    const at::AutoGradMode with_gradients(true);
    const Tensor z = codes.detach().clone().requires_grad_();
    const Tensor decoded = decoder.decode(z);
    const Tensor error = (decoded - images).square().flatten(1).sum(1);
    const Tensor loss = error + options.prior_weight * z.square().sum(1);
    if (!decoded.requires_grad()) fail("the decoder passes no gradients, so codes cannot be refined");
    {
      const at::NoGradGuard no_gradients;
      best.consider(codes, error, loss, cost_of_lost_classes(classifier.logits(decoded.detach()), answers));
    }
    if (step == options.refinement) break;
    const Tensor gradient = torch::autograd::grad({loss.sum()}, {z}).front();
    const double share = static_cast<double>(step) / static_cast<double>(options.refinement);
    const double rate = options.refinement_rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
    codes = adam.moved(codes, gradient, rate);
  }
  return best.get();
}

}  // namespace

at::Tensor cost_of_lost_classes(const at::Tensor& logits, const at::Tensor& answers) {
  const Tensor lost = std::get<1>(logits.topk(2, 1)).ne(answers);
  return lost.select(1, 0).to(at::kDouble) * kLosesAnswer + lost.select(1, 1).to(at::kDouble) * kLosesSecond;
}

ChosenCodes refine(const models::Decoder& decoder, const models::Classifier& classifier,
                   const at::Tensor& images, const at::Tensor& answers, const ChosenCodes& start,
                   const CodeOptions& options) {
  const bool known_layers = classifier.network() != nullptr && decoder.network() != nullptr;
  const std::int64_t parts = known_layers && images.is_cpu() ? parts_for(images.size(0)) : 1;
  std::vector<ChosenCodes> done(static_cast<std::size_t>(parts));
  run_parts(parts, [&](std::int64_t part) {
    const auto [first, count] = part_of(images.size(0), part, parts);
    const auto rows = [&, first = first, count = count](const Tensor& all) {
      return all.narrow(0, first, count);
    };
    done[static_cast<std::size_t>(part)] =
        refine_rows(decoder, classifier, rows(images), rows(answers),
                    {rows(start.codes), rows(start.kept), rows(start.errors)}, options);
  });
  std::vector<Tensor> codes, kept, errors;
  for (const ChosenCodes& part : done) {
    codes.push_back(part.codes);
    kept.push_back(part.kept);
    errors.push_back(part.errors);
  }
  return {at::cat(codes), at::cat(kept), at::cat(errors)};
}

}  // namespace whence::counterfactual
