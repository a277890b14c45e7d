#include "whence/explain/modularity/effect.h"

#include "explain/flow/classify.h"
#include "whence/core/error.h"

namespace whence::modularity {
namespace {

using at::Tensor;

void check_images(const Cut& cut, const models::Classifier& classifier) {
  const nn::Shape shape = classifier.input_shape();
  if (!shape.empty() && shape != cut.image())
    fail_usage("the classifier takes images of {}, but the generator makes images of {}",
               fmt::join(shape, "x"), fmt::join(cut.image(), "x"));
}

Measured share_of(const Tensor& yes) {
  if (yes.numel() == 0) return {};
  const Tensor values = yes.to(at::kDouble);
  const double mean = values.mean().item<double>();
  return {mean, std::sqrt(mean * (1 - mean) / static_cast<double>(values.numel()))};
}

/// P (outer, inner, M) of hybrids of every second original with every first one.
Tensor answers(const Cut& cut, const models::Classifier& classifier, const Channels& set,
               const Activations& first, const Activations& second, std::int64_t batch) {
  const std::int64_t outer = second.size(), inner = first.size();
  std::vector<Tensor> parts;
  flow::for_batches(outer * inner, batch, [&](std::int64_t begin, std::int64_t count) {
    const Tensor numbers =
        at::arange(begin, begin + count, at::TensorOptions(first.maps.device()).dtype(at::kLong));
    Activations hybrid = first.select(numbers.remainder(inner));
    hybrid.maps = swapped(hybrid.maps, second.maps.index_select(0, numbers.div(inner, "floor")), set);
    parts.push_back(flow::probabilities_of(classifier, cut.behind(hybrid)));
  });
  return at::cat(parts).view({outer, inner, -1});
}

/// Samples that generator and classifier take at once.
std::int64_t batch_of(const Cut& cut, const models::Classifier& classifier, std::int64_t memory_bytes) {
  const auto own = cut.samples_within(memory_bytes);
  if (classifier.network() == nullptr) return std::min<std::int64_t>(own, flow::kBatch);
  const std::int64_t theirs = memory_bytes / (flow::widest_pair(*classifier.network()) * 2 * 4);
  return std::clamp<std::int64_t>(theirs, 1, own);
}

/// The share of `yes` among the counted ones. All entries of a row share a draw, so each row is one observation.
Measured share_of_rows(const Tensor& yes, const Tensor& counted) {
  const Tensor above = (yes & counted).sum(1).to(at::kDouble), below = counted.sum(1).to(at::kDouble);
  const double total = below.sum().item<double>();
  if (total == 0) return {};
  const double mean = above.sum().item<double>() / total;
  return {mean, (above - mean * below).std().item<double>() * std::sqrt(static_cast<double>(above.size(0))) /
                    total};
}

}  // namespace

std::vector<Effect> effects(const Cut& cut, const models::Classifier& classifier,
                            const std::vector<Channels>& sets, const Originals& originals,
                            const EffectOptions& options, at::Generator& generator,
                            const ProgressCallback& progress) {
  check_images(cut, classifier);
  if (options.outer < 2 || options.inner < 2)
    fail_usage("{}x{} samples are too few for the information flow; it needs at least 2x2", options.outer,
               options.inner);
  const at::NoGradGuard no_grad;
  const Tensor codes = originals(options.outer + options.inner, generator);
  const Activations second = cut.before(codes.narrow(0, 0, options.outer)),
                    first = cut.before(codes.narrow(0, options.outer, options.inner));
  const auto label = [&](const Activations& a) {
    return flow::probabilities_of(classifier, cut.behind(a)).argmax(1);
  };
  const Tensor of_first = label(first).unsqueeze(0), of_second = label(second).unsqueeze(1);
  const flow::Estimator estimator{flow::Sampling::crossed, flow::Placement::independent,
                                  flow::Correction::delta};
  const std::int64_t batch = batch_of(cut, classifier, options.memory_bytes);
  std::vector<Effect> result;
  for (const Channels& set : sets) {
    const Tensor probabilities = answers(cut, classifier, set, first, second, batch);
    const Tensor said = probabilities.argmax(2);
    result.push_back({flow::estimate_flow(probabilities, estimator),
                      share_of_rows(said != of_first, at::ones_like(said, at::kBool)),
                      share_of_rows(said == of_second, (of_first != of_second).expand_as(said))});
    if (progress)
      progress({"information flow", static_cast<std::int64_t>(result.size()), std::ssize(sets), {}, "sets"});
  }
  return result;
}

std::vector<ScaledAnswers> scaled_answers(const Cut& cut, const models::Classifier& classifier,
                                          const std::vector<Channels>& sets, const Tensor& codes,
                                          const std::vector<double>& factors, std::int64_t memory_bytes) {
  check_images(cut, classifier);
  const at::NoGradGuard no_grad;
  const std::int64_t batch = batch_of(cut, classifier, memory_bytes);
  const Activations all = cut.before(codes);
  const Tensor centre = all.maps.mean(0);
  const auto answers_to = [&](const Channels& set, double factor) {
    std::vector<Tensor> said;
    flow::for_batches(all.size(), batch, [&](std::int64_t first, std::int64_t count) {
      Activations own = all.rows(first, count);
      own.maps = scaled(own.maps, centre, set, factor);
      said.push_back(flow::probabilities_of(classifier, cut.behind(own)).argmax(1));
    });
    return at::cat(said);
  };
  const Tensor unchanged = answers_to({}, 1);
  std::vector<ScaledAnswers> result;
  for (const Channels& set : sets) {
    ScaledAnswers own{factors, {}};
    for (const double factor : factors) own.kept.push_back(share_of(answers_to(set, factor) == unchanged));
    result.push_back(std::move(own));
  }
  return result;
}

}  // namespace whence::modularity
