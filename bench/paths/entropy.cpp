#include "paths/entropy.h"

#include <torch/csrc/autograd/autograd.h>

#include "whence/core/random.h"
#include "whence/explain/counterfactual/morphing.h"
#include "whence/platform/interrupt.h"

namespace whence::bench {
namespace {

using at::Tensor;

/// Sums from which a correlation follows, whatever comes in parts.
struct Pairs {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;

  void add(const Tensor& first, const Tensor& second) {
    const Tensor a = first.to(at::kDouble), b = second.to(at::kDouble);
    n += static_cast<double>(a.numel());
    x += a.sum().item<double>();
    y += b.sum().item<double>();
    xx += a.square().sum().item<double>();
    yy += b.square().sum().item<double>();
    xy += (a * b).sum().item<double>();
  }
  double correlation() const { return (n * xy - x * y) / std::sqrt((n * xx - x * x) * (n * yy - y * y)); }
};

}  // namespace

EntropyCorrelations entropy_correlations(const counterfactual::ImageModel& model,
                                         const models::Classifier& classifier, counterfactual::PathKind kind,
                                         std::int64_t count, std::int64_t steps, std::uint64_t seed) {
  const counterfactual::KnownCodes& known = model.known;
  Generator generator = make_generator(seed, "bench/entropy");
  const Tensor right = known.answers.eq(known.labels).nonzero().squeeze(1);
  const Tensor order = right.index_select(0, at::randperm(right.size(0), generator, at::kLong));
  Pairs pixels, all;
  std::vector<double> own;
  for (std::int64_t i = 0; i < std::min(count, order.size(0)); ++i) {
    throw_if_interrupted();
    const at::NoGradGuard no_grad;
    const auto row = order[i].item<std::int64_t>();
    const Tensor code = known.codes.narrow(0, row, 1);
    const Tensor from = known.labels.narrow(0, row, 1);
    const std::int64_t other =
        (from.item<std::int64_t>() + 1 +
         at::randint(classifier.classes() - 1, {1}, generator, at::kLong).item<std::int64_t>()) %
        classifier.classes();
    const Tensor anchor = counterfactual::nearest_known(known, code, other, 1);
    if (anchor.size(1) == 0) continue;
    const Tensor path = counterfactual::code_path(code, known.codes.index_select(0, anchor[0]),
                                                  at::linspace(0, 1, steps), kind);
    const Tensor images = model.decoder.decode(path.squeeze(1));
    const at::AutoGradMode with_gradients(true);
    const Tensor x = images.detach().requires_grad_();
    const Tensor logits = classifier.logits(x);
    const Tensor target = from.expand({steps});
    const Tensor probability = logits.softmax(1).gather(1, target.unsqueeze(1)).sum();
    const Tensor gradient = torch::autograd::grad({probability}, {x}).front().abs().flatten(1);
    const at::NoGradGuard measured;
    const Tensor entropy = counterfactual::two_class_entropy(logits, target, at::full_like(target, other));
    pixels.add(entropy.unsqueeze(1).expand_as(gradient), gradient);
    all.add(entropy, gradient.mean(1));
    Pairs one;
    one.add(entropy, gradient.mean(1));
    if (std::isfinite(one.correlation())) own.push_back(one.correlation());
  }
  const Tensor each = at::tensor(own, at::kDouble);
  return {pixels.correlation(), all.correlation(), at::median(each).item<double>(),
          static_cast<std::int64_t>(own.size())};
}

}  // namespace whence::bench
