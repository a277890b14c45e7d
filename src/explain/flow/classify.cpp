#include "explain/flow/classify.h"

#include "whence/core/error.h"
#include "whence/platform/interrupt.h"

namespace whence::flow {
std::int64_t widest_pair(const nn::Network& network) {
  std::int64_t widest = 0, before = 0;
  for (const nn::Layer& layer : network.layers()) {
    std::int64_t size = 1;
    for (const std::int64_t extent : layer.shape) size *= extent;
    widest = std::max(widest, before + size);
    before = size;
  }
  return widest;
}

at::Tensor probabilities_of(const models::Classifier& classifier, const at::Tensor& images) {
  throw_if_interrupted();  // one range of for_batches may ask once a factor
  const at::Tensor logits = classifier.logits(images);
  const at::Tensor probabilities =
      at::softmax(logits.to(at::promote_types(logits.scalar_type(), at::kFloat)), 1);
  if (probabilities.isnan().any().item<bool>()) {
    if (!images.isfinite().all().item<bool>())
      fail(
          "the decoder returned images with NaN or infinite values, so they cannot be classified; check its "
          "weights");
    fail("the classifier returned NaN or infinite outputs for decoded images; check its weights");
  }
  return probabilities;
}

void for_batches(std::int64_t total, std::int64_t batch,
                 const std::function<void(std::int64_t first, std::int64_t count)>& body) {
  for (std::int64_t first = 0; first < total; first += batch) {
    throw_if_interrupted();
    body(first, std::min(batch, total - first));
  }
}

std::int64_t samples_within(const models::Decoder& decoder, const models::Classifier& classifier,
                            std::int64_t memory_bytes) {
  // Unknown networks: four maps as large as the image, of 64 channels each.
  const at::Tensor latents =
      at::zeros({1, decoder.latents()}, at::TensorOptions(decoder.device()).dtype(at::kFloat));
  const std::int64_t unknown = decoder.decode(latents).numel() * 4 * 64;
  const auto values = [&](const nn::Network* network) { return network ? widest_pair(*network) : unknown; };
  // Twice: an operation's workspace and layout copies are about as large as what it reads and writes.
  const std::int64_t bytes = std::max(values(decoder.network()), values(classifier.network())) * 2 * 4;
  return std::clamp<std::int64_t>(memory_bytes / bytes, 1, 2048);
}

}  // namespace whence::flow
