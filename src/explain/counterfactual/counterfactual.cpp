#include "whence/explain/counterfactual/counterfactual.h"

#include "explain/counterfactual/search.h"
#include "explain/flow/classify.h"
#include "whence/core/error.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

/// Images whose candidates are held at once.
constexpr std::int64_t kChunk = 256;

void check_options(const models::Decoder& decoder, const models::Classifier& classifier, std::int64_t causal,
                   const CounterfactualOptions& options) {
  if (causal < 1 || causal > decoder.latents())
    fail_usage("{} causal factors do not fit a decoder of {} latents; give 1 to {}", causal,
               decoder.latents(), decoder.latents());
  if (options.to && (*options.to < 0 || *options.to >= classifier.classes()))
    fail_usage("there is no class {} to move to; the classifier has {}, numbered from 0", *options.to,
               classifier.classes());
  const auto positive = [](const char* name, double value) {
    if (!(value > 0) || !std::isfinite(value))
      fail_usage("the {} of the search for counterfactuals is {}; it must be above 0", name, value);
  };
  positive("radius", options.radius);
  positive("tolerance", options.tolerance);
  if (options.step != 0) positive("step", options.step);
  if (options.rays < 0)
    fail_usage("the number of rays is {}, but must be 1 or more, or 0 for automatic", options.rays);
  if (!(options.probability >= 0 && options.probability < 1))
    fail_usage("the probability asked of a counterfactual is {}; it must be from 0 to below 1",
               options.probability);
}

Tensor probabilities_in_batches(const models::Decoder& decoder, const models::Classifier& classifier,
                                const Tensor& codes) {
  std::vector<Tensor> parts;
  flow::for_batches(codes.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    parts.push_back(
        flow::probabilities_of(classifier, decoder.decode(codes.narrow(0, first, count))).to(at::kFloat));
  });
  return at::cat(parts);
}

}  // namespace

at::Tensor Counterfactuals::moved() const {
  Tensor result = codes.clone();
  result.narrow(1, 0, causal).add_(move);
  return result;
}

Counterfactuals find_counterfactuals(const models::Decoder& decoder, const models::Classifier& classifier,
                                     const at::Tensor& codes, std::int64_t causal,
                                     const CounterfactualOptions& options, const ProgressCallback& progress) {
  TORCH_CHECK(codes.dim() == 2 && codes.size(0) > 0 && codes.size(1) == decoder.latents(),
              "codes must be (n, ", decoder.latents(), "), got ", codes.sizes());
  check_options(decoder, classifier, causal, options);
  const at::NoGradGuard no_grad;
  Counterfactuals result;
  result.causal = causal;
  result.radius = options.radius;
  result.codes = codes.to(decoder.device(), at::kFloat).contiguous();
  result.before = probabilities_in_batches(decoder, classifier, result.codes);
  result.from = result.before.argmax(1);
  result.already = options.to ? result.from.eq(*options.to) : at::zeros_like(result.from, at::kBool);

  const std::int64_t n = codes.size(0);
  result.move = result.codes.new_zeros({n, causal});
  result.found = result.codes.new_zeros({n}, at::kBool);
  const CounterfactualSearch search(decoder, classifier, causal, options);
  const Tensor open = result.already.logical_not().nonzero().squeeze(1);
  Progress reading{.stage = "counterfactuals", .step = 0, .total = open.size(0), .values = {}};
  flow::for_batches(open.size(0), kChunk, [&](std::int64_t first, std::int64_t count) {
    const Tensor rows = open.narrow(0, first, count);
    const auto [found, move] =
        search.run(result.codes.index_select(0, rows), result.from.index_select(0, rows));
    result.found.index_copy_(0, rows, found);
    result.move.index_copy_(0, rows, move);
    reading.step += count;
    if (progress) progress(reading);
  });

  result.distance = at::where(result.found, result.move.norm(2, 1), std::numeric_limits<float>::infinity());
  result.after = probabilities_in_batches(decoder, classifier, result.moved());
  result.to = result.after.argmax(1);
  return result;
}

Counterfactuals explain_counterfactually(const models::Encoder& encoder, const models::Decoder& decoder,
                                         const models::Classifier& classifier, const at::Tensor& images,
                                         std::int64_t causal, const CounterfactualOptions& options,
                                         const ProgressCallback& progress) {
  if (encoder.latents() != decoder.latents())
    fail("the encoder has {} latents and the decoder {}; they must belong to one model", encoder.latents(),
         decoder.latents());
  const at::NoGradGuard no_grad;
  std::vector<Tensor> codes, probabilities;
  flow::for_batches(images.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    const Tensor part = images.narrow(0, first, count).to(encoder.device());
    codes.push_back(encoder.encode(part).mean);
    probabilities.push_back(flow::probabilities_of(classifier, part).to(at::kFloat));
  });
  Counterfactuals result =
      find_counterfactuals(decoder, classifier, at::cat(codes), causal, options, progress);
  result.original = at::cat(probabilities);
  return result;
}

}  // namespace whence::counterfactual
