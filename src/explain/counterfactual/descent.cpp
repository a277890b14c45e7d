#include "explain/counterfactual/descent.h"

#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <numbers>

#include "whence/core/error.h"
#include "whence/nn/training/adam.h"
#include "whence/platform/interrupt.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

/// The images that are still moving.
struct Open {
  Tensor rows, codes, from, to;
  nn::AdamSearch adam;
  Tensor first, second;
  Tensor residual;  ///< may be undefined

  void keep(const Tensor& which) {
    for (Tensor* each : {&rows, &codes, &from, &to, &first, &second}) *each = each->index_select(0, which);
    adam.keep(which);
    if (residual.defined()) residual = residual.index_select(0, which);
  }
};

double rate_at(const DescentOptions& options, std::int64_t step) {
  if (!options.cosine) return options.learning_rate;
  const double share = static_cast<double>(step) / static_cast<double>(options.iterations);
  return options.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

/// Adds the terms to their running means and returns the objective, (n).
Tensor objective(Open& open, const Terms& terms, const DescentOptions& options, std::int64_t step) {
  if (!options.balanced) return terms.first + options.weight * terms.second;
  const double share = 1 / static_cast<double>(step + 1);
  open.first = open.first + share * (terms.first.detach().abs() - open.first);
  open.second = open.second + share * (terms.second.detach().abs() - open.second);
  const Tensor scale = open.first / open.second.clamp_min(std::numeric_limits<float>::min());
  return terms.first + options.weight * scale * terms.second;
}

}  // namespace

Descent descend(
    const models::Decoder& decoder, const models::Classifier& classifier, const at::Tensor& start,
    const at::Tensor& from, const at::Tensor& to, const at::Tensor& residual, const DescentOptions& options,
    const std::function<Terms(const Tensor& logits, const Tensor& codes, const Tensor& to)>& terms) {
  const std::int64_t n = start.size(0);
  Descent result{start.clone(), at::zeros({n}, start.options().dtype(at::kBool)),
                 at::zeros({n}, start.options().dtype(at::kLong)), start.clone(),
                 at::full({n}, -std::numeric_limits<float>::infinity(), start.options())};
  Open open{at::arange(n, result.steps.options()),
            start.clone(),
            from,
            to,
            nn::AdamSearch(start),
            at::zeros({n}, start.options()),
            at::zeros({n}, start.options()),
            residual};
  for (std::int64_t step = 0; step <= options.iterations && open.rows.size(0) > 0; ++step) {
    throw_if_interrupted();
    const at::AutoGradMode with_gradients(true);
    const Tensor codes = open.codes.detach().clone().requires_grad_();
    const Tensor logits = classifier.logits(decode_with(decoder, codes, open.residual));
    Tensor gradient, stay;
    {
      const at::NoGradGuard no_grad;
      const Tensor finished = is_finished(logits, open.from, open.to, options.entropy);
      const Tensor lead = lead_of(logits, open.to).to(result.lead.scalar_type());
      const Tensor before = result.lead.index_select(0, open.rows);
      const Tensor better = lead.gt(before);
      result.lead.index_copy_(0, open.rows, at::where(better, lead, before));
      result.surest.index_copy_(
          0, open.rows, at::where(better.unsqueeze(1), open.codes, result.surest.index_select(0, open.rows)));
      result.codes.index_copy_(0, open.rows, open.codes);
      result.finished.index_copy_(0, open.rows, finished);
      result.steps.index_fill_(0, open.rows, step);
      stay = finished.logical_not().nonzero().squeeze(1);
    }
    if (stay.size(0) == 0 || step == options.iterations) break;
    const Tensor value = objective(open, terms(logits, codes, open.to), options, step).sum();
    if (!value.requires_grad())
      fail("the decoder or the classifier passes no gradients, so no image can be morphed");
    gradient = torch::autograd::grad({value}, {codes}).front();
    const at::NoGradGuard no_grad;
    open.codes = open.adam.moved(open.codes, gradient, rate_at(options, step));
    if (stay.size(0) < open.rows.size(0)) open.keep(stay);
  }
  return result;
}

}  // namespace whence::counterfactual
