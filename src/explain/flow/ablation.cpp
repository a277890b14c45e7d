#include "whence/explain/flow/ablation.h"
#include "whence/models/train/vae_loss.h"

#include <nlohmann/json.hpp>

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/explain/flow/parts.h"
#include "whence/explain/gce/objective.h"
#include "whence/platform/device.h"

namespace whence::flow {
namespace {

using at::Tensor;

/// Calls `body` with the images (float32) and labels of every batch of the data set.
void for_images(
    const data::Dataset& dataset, at::Device device,
    const std::function<void(const Tensor& images, std::int64_t first, std::int64_t count)>& body) {
  if (dataset.size() == 0) fail("there are no images to measure on");
  const at::NoGradGuard no_grad;
  for_batches(dataset.size(), kBatch, [&](std::int64_t first, std::int64_t count) {
    body(data::to_float(dataset, first, count, device), first, count);
  });
}

/// bool (n)
Tensor is_right(const models::Classifier& classifier, const Tensor& images, const Tensor& labels) {
  return probabilities_of(classifier, images).argmax(1).eq(labels.to(images.device()));
}

void check_classes(const models::Classifier& classifier, const data::Dataset& dataset) {
  if (classifier.classes() != dataset.classes())
    fail("the classifier has {} classes and the data set {}; select the classes it was trained on",
         classifier.classes(), dataset.classes());
}

void check_latents(const models::Encoder& encoder, const models::Decoder& decoder) {
  if (encoder.latents() != decoder.latents())
    fail("the encoder has {} latents and the decoder {}; they must belong to one model", encoder.latents(),
         decoder.latents());
}

/// SSE + KL of each image, in float64.
Tensor bound_of_each(const Tensor& decoded, const Tensor& images, const models::Posterior& q) {
  const Tensor squares = (decoded - images).square().flatten(1).sum(1, false, at::kDouble);
  const Tensor divergence = q.mean.square() + q.log_variance.expm1() - q.log_variance;
  return squares + 0.5 * divergence.sum(1, false, at::kDouble);
}

}  // namespace

at::Tensor right_answers(const models::Encoder& encoder, const models::Decoder& decoder,
                         const models::Classifier& classifier, const data::Dataset& dataset,
                         const at::Tensor& fresh, const ProgressCallback& progress) {
  check_classes(classifier, dataset);
  check_latents(encoder, decoder);
  const std::int64_t latents = decoder.latents();
  const Tensor draws = fresh.to(encoder.device());
  std::vector<Tensor> parts;
  for_images(dataset, encoder.device(), [&](const Tensor& images, std::int64_t first, std::int64_t count) {
    const Tensor labels = dataset.labels.narrow(0, first, count);
    const Tensor codes = encoder.encode(images).mean;
    std::vector<Tensor> right = {is_right(classifier, images, labels),
                                 is_right(classifier, decoder.decode(codes), labels)};
    for (std::int64_t i = 0; i < latents; ++i) {
      Tensor changed = codes.clone();
      changed.select(1, i).copy_(draws.narrow(0, first, count).select(1, i));
      right.push_back(is_right(classifier, decoder.decode(changed), labels));
    }
    parts.push_back(at::stack(right, 1));
    if (progress) progress({"ablation", first / kBatch + 1, (dataset.size() + kBatch - 1) / kBatch, {}});
  });
  return at::cat(parts);
}

Ablation ablation_of(const at::Tensor& right) {
  const Tensor counts = right.to(at::kLong).sum(0).cpu();
  const auto share = [&](std::int64_t column) {
    return static_cast<double>(counts[column].item<std::int64_t>()) / static_cast<double>(right.size(0));
  };
  Ablation ablation{share(0), share(1), {}, right.size(0)};
  for (std::int64_t i = 2; i < counts.size(0); ++i) ablation.replaced.push_back(share(i));
  return ablation;
}

Ablation ablate(const models::Encoder& encoder, const models::Decoder& decoder,
                const models::Classifier& classifier, const data::Dataset& dataset, at::Generator& generator,
                const ProgressCallback& progress) {
  const Tensor fresh = at::randn({dataset.size(), decoder.latents()}, generator, draws_of(generator));
  return ablation_of(right_answers(encoder, decoder, classifier, dataset, fresh, progress));
}

Fidelity fidelity(const models::Encoder& encoder, const models::Decoder& decoder,
                  const data::Dataset& dataset, at::Generator& generator) {
  check_latents(encoder, decoder);
  const Tensor noise =
      at::randn({dataset.size(), encoder.latents()}, generator, draws_of(generator)).to(encoder.device());
  const auto images_in_all = static_cast<double>(dataset.size());
  Fidelity result;
  std::vector<Tensor> bounds;
  for_images(dataset, encoder.device(), [&](const Tensor& images, std::int64_t first, std::int64_t count) {
    const models::Posterior q = encoder.encode(images);
    const Tensor codes = q.mean + noise.narrow(0, first, count) * (0.5 * q.log_variance).exp();
    const auto weight = static_cast<double>(count) / images_in_all;
    const Tensor decoded = decoder.decode(codes);
    result.sse += weight * models::squared_error(decoded, images).item<double>();
    result.kl += weight * models::kl_divergence(q.mean, q.log_variance).item<double>();
    bounds.push_back(bound_of_each(decoded, images, q));
  });
  result.of_images = at::cat(bounds).to(at::kFloat);
  if (dataset.size() > 1) result.se = result.of_images.std().item<double>() / std::sqrt(images_in_all);
  return result;
}

nlohmann::json to_json(const Ablation& ablation, const std::vector<std::string>& factors) {
  nlohmann::json replaced = nlohmann::json::object();
  for (std::size_t i = 0; i < factors.size(); ++i) replaced[factors[i]] = ablation.replaced[i];
  return {{"original", ablation.original},
          {"reencoded", ablation.reencoded},
          {"replaced", replaced},
          {"samples", ablation.samples}};
}

}  // namespace whence::flow
