#include "whence/explain/counterfactual/image_model.h"

#include <fmt/ranges.h>

#include <limits>

#include "explain/counterfactual/refine.h"
#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

void check_models(const models::Encoder& encoder, const models::Decoder& decoder) {
  if (encoder.latents() != decoder.latents())
    fail("the encoder has {} latents and the decoder {}; they must belong to one model", encoder.latents(),
         decoder.latents());
}

void check_size(const Tensor& decoded, const Tensor& images) {
  if (decoded.sizes().slice(1) == images.sizes().slice(1)) return;
  fail("the decoder makes images of {}, but these are of {}; give the decoder that belongs to the images",
       fmt::join(decoded.sizes().slice(1), "x"), fmt::join(images.sizes().slice(1), "x"));
}

Tensor squared_errors(const Tensor& a, const Tensor& b) { return (a - b).square().flatten(1).sum(1); }

/// Logits in float32 or better; the error of probabilities_of where they are not finite.
Tensor checked_logits(const models::Classifier& classifier, const Tensor& images) {
  const Tensor logits = classifier.logits(images);
  if (!at::isfinite(logits).all().item<bool>()) flow::probabilities_of(classifier, images);
  return logits.to(at::kFloat);
}

/// Fills what follows from codes, labels, answers and leads.
void summarise(KnownCodes& known, std::int64_t classes) {
  if (at::equal(known.labels, known.labels[0].expand_as(known.labels)))
    fail_usage(
        "all {} images are of one class; a morph needs images of the class that an image is turned into",
        known.labels.size(0));
  const Tensor norms = known.codes.norm(2, 1);
  const auto of_classes = [&] {
    return at::full({classes}, std::numeric_limits<float>::infinity(), norms.options());
  };
  known.norm_mean = of_classes();
  known.norm_deviation = of_classes();
  known.typical_lead = of_classes();
  for (std::int64_t label = 0; label < classes; ++label) {
    const Tensor is_own = known.labels.eq(label);
    const Tensor own = norms.masked_select(is_own), lengths = own.size(0) < 2 ? norms : own;
    known.norm_mean[label] = lengths.mean();
    known.norm_deviation[label] = lengths.std().clamp_min(1e-6);
    const Tensor right = known.leads.masked_select(is_own.logical_and(known.answers.eq(label)));
    if (right.size(0) > 0) known.typical_lead[label] = right.median();
  }
}

struct Reconstructed {
  Tensor codes, answers, leads, errors;
};

Reconstructed reconstruct(const models::Encoder& encoder, const models::Decoder& decoder,
                          const models::Classifier& classifier, const Tensor& images) {
  Reconstructed result;
  result.codes = encoder.encode(images).mean.to(at::kFloat);
  const Tensor decoded = decoder.decode(result.codes);
  check_size(decoded, images);
  const Tensor logits = checked_logits(classifier, decoded);
  const auto [best, which] = logits.topk(2, 1);
  result.answers = which.select(1, 0);
  result.leads = best.select(1, 0) - best.select(1, 1);
  result.errors = squared_errors(decoded, images).to(at::kFloat);
  return result;
}

ChosenCodes first_where(const Tensor& condition, const ChosenCodes& first, const ChosenCodes& second) {
  return {at::where(condition.unsqueeze(1), first.codes, second.codes),
          at::where(condition, first.kept, second.kept), at::where(condition, first.errors, second.errors)};
}

/// The nearest of the candidates of each image, codes (k, n, D).
ChosenCodes nearest(const models::Decoder& decoder, const models::Classifier& classifier,
                    const Tensor& images, const Tensor& answers, const Tensor& candidates,
                    std::int64_t batch) {
  const std::int64_t count = candidates.size(0), n = images.size(0);
  const Tensor codes = candidates.flatten(0, 1);
  std::vector<Tensor> costs, errors;
  flow::for_batches(codes.size(0), batch, [&](std::int64_t first, std::int64_t rows) {
    const Tensor decoded = decoder.decode(codes.narrow(0, first, rows));
    check_size(decoded, images);
    const Tensor own = at::arange(first, first + rows, answers.options()).remainder(n);
    const Tensor difference = (decoded - images.index_select(0, own)).flatten(1).to(at::kDouble);
    costs.push_back(difference.abs().sum(1) +
                    cost_of_lost_classes(checked_logits(classifier, decoded), answers.index_select(0, own)));
    errors.push_back(difference.square().sum(1));
  });
  const auto [least, at] = at::cat(costs).view({count, n}).min(0);
  const Tensor row = at.view({1, n, 1}).expand({1, n, candidates.size(2)});
  return {candidates.gather(0, row).squeeze(0), least.lt(kLosesSecond),
          at::cat(errors).view({count, n}).gather(0, at.unsqueeze(0)).squeeze(0).to(at::kFloat)};
}

}  // namespace

KnownCodes known_codes(const models::Encoder& encoder, const models::Decoder& decoder,
                       const models::Classifier& classifier, const at::Tensor& images,
                       const at::Tensor& labels, const ProgressCallback& progress) {
  TORCH_CHECK(images.dim() == 4 && images.size(0) > 0 && labels.numel() == images.size(0),
              "one label for each of the images (T, C, H, W), got ", images.sizes(), " and ", labels.sizes());
  check_models(encoder, decoder);
  const at::NoGradGuard no_grad;
  std::vector<Tensor> codes, answers, leads, errors;
  flow::for_batches(images.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    const Reconstructed own =
        reconstruct(encoder, decoder, classifier, images.narrow(0, first, count).to(encoder.device()));
    codes.push_back(own.codes);
    answers.push_back(own.answers);
    leads.push_back(own.leads);
    errors.push_back(own.errors);
    if (progress)
      progress(
          {.stage = "codes", .step = first + count, .total = images.size(0), .values = {}, .unit = "images"});
  });
  KnownCodes known;
  known.codes = at::cat(codes);
  known.answers = at::cat(answers);
  known.leads = at::cat(leads);
  known.errors = at::cat(errors);
  known.labels = labels.to(known.answers.device());
  summarise(known, classifier.classes());
  return known;
}

KnownCodes known_codes_of_draws(const models::Encoder& encoder, const models::Decoder& decoder,
                                const models::Classifier& classifier, std::int64_t count,
                                at::Generator& generator) {
  check_models(encoder, decoder);
  const at::NoGradGuard no_grad;
  const Tensor draws = at::randn({count, decoder.latents()}, generator, draws_of(generator).dtype(at::kFloat))
                           .to(decoder.device());
  std::vector<Tensor> images, labels;
  flow::for_batches(count, flow::kBatch, [&](std::int64_t first, std::int64_t rows) {
    images.push_back(decoder.decode(draws.narrow(0, first, rows)));
    labels.push_back(checked_logits(classifier, images.back()).argmax(1));
  });
  return known_codes(encoder, decoder, classifier, at::cat(images), at::cat(labels));
}

ImageCodes codes_of_images(const models::Encoder& encoder, const models::Decoder& decoder,
                           const models::Classifier& classifier, const at::Tensor& images,
                           const CodeOptions& options, at::Generator& generator) {
  check_models(encoder, decoder);
  if (options.draws < 1) fail_usage("the number of draws is {}, but must be 1 or more", options.draws);
  if (options.refinement < 0)
    fail_usage("the number of iterations of the refinement is {}, but must be 0 or more", options.refinement);
  const at::NoGradGuard no_grad;
  const Tensor noise =
      at::randn({options.draws, 1, encoder.latents()}, generator, draws_of(generator)).to(encoder.device());
  std::vector<Tensor> codes, answers, kept, errors;
  flow::for_batches(images.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    const Tensor own = images.narrow(0, first, count).to(encoder.device());
    const Tensor two = std::get<1>(checked_logits(classifier, own).topk(2, 1));
    const models::Posterior posterior = encoder.encode(own);
    const Tensor mean = posterior.mean.to(at::kFloat).unsqueeze(0);
    const auto among = [&](const Tensor& candidates) {
      return nearest(decoder, classifier, own, two, candidates, options.batch);
    };
    ChosenCodes chosen;
    if (options.mean_first) chosen = among(mean);
    if (!options.mean_first || !chosen.kept.all().item<bool>()) {
      const Tensor draws = mean + (0.5 * posterior.log_variance.to(at::kFloat)).exp().unsqueeze(0) * noise;
      chosen =
          options.mean_first ? first_where(chosen.kept, chosen, among(at::cat({mean, draws}))) : among(draws);
    }
    if (options.refinement > 0) chosen = refine(decoder, classifier, own, two, chosen, options);
    codes.push_back(chosen.codes);
    answers.push_back(two);
    kept.push_back(chosen.kept);
    errors.push_back(chosen.errors);
  });
  return {at::cat(codes), at::cat(answers), at::cat(kept), at::cat(errors)};
}

at::Tensor decode_with(const models::Decoder& decoder, const at::Tensor& codes, const at::Tensor& residual) {
  const Tensor decoded = decoder.decode(codes);
  return residual.defined() ? (decoded + residual).clamp(0, 1) : decoded;
}

at::Tensor code_path(const at::Tensor& first, const at::Tensor& second, const at::Tensor& places,
                     PathKind kind) {
  const Tensor t = places.to(first.options()).view({-1, 1, 1});
  if (kind == PathKind::linear) return (1 - t) * first.unsqueeze(0) + t * second.unsqueeze(0);
  return (1 - t).sqrt() * first.unsqueeze(0) + t.sqrt() * second.unsqueeze(0);
}

}  // namespace whence::counterfactual
