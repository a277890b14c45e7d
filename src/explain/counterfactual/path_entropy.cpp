#include "whence/explain/counterfactual/path_entropy.h"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/counterfactual/morphing.h"
#include "whence/platform/device.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

/// Images whose gradient is computed at once, and the values that they hold together.
constexpr std::int64_t kImages = 256, kValues = 1 << 22;

/// Sums from which a correlation follows, for values that come in parts.
struct Sums {
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

/// Ends of paths: rows of the known codes, and the class at the other end.
struct Pairs {
  Tensor first, second, to;
};

Pairs drawn_pairs(const KnownCodes& known, std::int64_t classes, std::int64_t count, Generator& generator) {
  const Tensor right = known.answers.eq(known.labels).nonzero().squeeze(1);
  const Tensor order = at::randperm(right.size(0), generator, at::kLong).to(right.device());
  const Tensor rows = right.index_select(0, order.narrow(0, 0, std::min(count, order.size(0))));
  const Tensor away =
      1 + at::randint(classes - 1, {rows.size(0)}, generator, draws_of(generator).dtype(at::kLong))
              .to(right.device());
  const Tensor to = (known.labels.index_select(0, rows) + away).remainder(classes);
  const Tensor other = nearest_of_each(known, known.codes.index_select(0, rows), to, 1).select(1, 0);
  const Tensor there = other.ge(0).nonzero().squeeze(1);
  return {rows.index_select(0, there), other.index_select(0, there), to.index_select(0, there)};
}

/// r of each row, float64 (N).
Tensor row_correlations(const Tensor& first, const Tensor& second) {
  const auto centred = [](const Tensor& values) {
    const Tensor all = values.to(at::kDouble);
    return all - all.mean(1, true);
  };
  const Tensor a = centred(first), b = centred(second);
  return (a * b).sum(1) / (a.square().sum(1) * b.square().sum(1)).sqrt();
}

double median_of(const Tensor& values) {
  const Tensor finite = values.masked_select(values.isfinite());
  return finite.numel() == 0 ? std::numeric_limits<double>::quiet_NaN() : finite.median().item<double>();
}

PathEntropies without_paths(PathEntropies result, std::int64_t steps, const Tensor& codes) {
  result.entropy = result.gradient = at::empty({0, steps}, codes.options());
  result.window.mean = result.window.deviation = result.within =
      at::empty({0}, codes.options().dtype(at::kDouble));
  result.of_values = result.of_steps = result.of_a_path = std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace

EntropyWindow entropy_window(const at::Tensor& entropy) {
  const Tensor weight = entropy.to(at::kDouble), whole = weight.sum(1, true);
  const Tensor step = at::arange(weight.size(1), weight.options()).unsqueeze(0);
  const Tensor mean = (weight * step).sum(1, true) / whole;
  const Tensor square = (weight * (step - mean).square()).sum(1, true) / whole;
  return {mean.squeeze(1), square.sqrt().squeeze(1)};
}

double pearson(const at::Tensor& first, const at::Tensor& second) {
  TORCH_CHECK(first.sizes() == second.sizes(), "one value each for ", first.sizes(), ", got ",
              second.sizes());
  return row_correlations(first.reshape({1, -1}), second.reshape({1, -1})).item<double>();
}

PathEntropies path_entropies(const ImageModel& model, const models::Classifier& classifier,
                             const EntropyOptions& options, std::uint64_t seed) {
  if (options.pairs < 1 || options.steps < 2)
    fail_usage("there are {} paths of {} steps, but must be one of two steps at least", options.pairs,
               options.steps);
  const at::NoGradGuard no_grad;
  Generator generator = make_generator(seed, "morphing/entropy");
  const Pairs pairs = drawn_pairs(model.known, classifier.classes(), options.pairs, generator);
  PathEntropies result;
  result.from = model.known.labels.index_select(0, pairs.first);
  result.to = pairs.to;
  if (pairs.to.size(0) == 0) return without_paths(std::move(result), options.steps, model.known.codes);
  const Tensor codes = code_path(model.known.codes.index_select(0, pairs.first),
                                 model.known.codes.index_select(0, pairs.second),
                                 at::linspace(0, 1, options.steps), options.kind)
                           .transpose(0, 1)
                           .flatten(0, 1);
  const Tensor from = result.from.repeat_interleave(options.steps),
               to = result.to.repeat_interleave(options.steps);
  std::vector<Tensor> entropies, gradients;
  Sums values;
  const std::int64_t size = model.decoder.decode(codes.narrow(0, 0, 1)).numel();
  const std::int64_t at_once = std::clamp<std::int64_t>(kValues / size, 1, kImages);
  flow::for_batches(codes.size(0), at_once, [&](std::int64_t first, std::int64_t count) {
    const Tensor images = model.decoder.decode(codes.narrow(0, first, count));
    const Tensor self = from.narrow(0, first, count);
    const at::AutoGradMode with_gradients(true);
    const Tensor x = images.detach().requires_grad_();
    const Tensor logits = classifier.logits(x);
    const Tensor probability = logits.to(at::kFloat).softmax(1).gather(1, self.unsqueeze(1)).sum();
    const Tensor gradient = torch::autograd::grad({probability}, {x}).front().abs().flatten(1);
    const at::NoGradGuard measured;
    const Tensor entropy = two_class_entropy(logits.to(at::kFloat), self, to.narrow(0, first, count));
    values.add(entropy.unsqueeze(1).expand_as(gradient), gradient);
    entropies.push_back(entropy);
    gradients.push_back(gradient.mean(1));
  });
  const auto rows = [&](const std::vector<Tensor>& parts) {
    return at::cat(parts).view({-1, options.steps});
  };
  result.entropy = rows(entropies);
  result.gradient = rows(gradients);
  if (!at::isfinite(result.entropy).all().item<bool>() || !at::isfinite(result.gradient).all().item<bool>())
    fail("the classifier gives NaN or infinity on the path between two training images");
  result.window = entropy_window(result.entropy);
  result.within = row_correlations(result.entropy, result.gradient);
  result.of_values = values.correlation();
  result.of_steps = pearson(result.entropy, result.gradient);
  result.of_a_path = median_of(result.within);
  return result;
}

}  // namespace whence::counterfactual
