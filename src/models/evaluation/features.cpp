#include "whence/models/evaluation/features.h"

#include "whence/core/error.h"
#include "whence/platform/device.h"
#include "whence/platform/interrupt.h"

namespace whence::models {
namespace {

constexpr std::int64_t kImagesAtOnce = 250;

const nn::Network& network_of(const Classifier& classifier) {
  if (classifier.network() == nullptr)
    fail_usage("features need a classifier whose layers are known{}{}",
               classifier.why_opaque().empty() ? "" : "; this one stays opaque: ", classifier.why_opaque());
  return *classifier.network();
}

std::optional<nn::LayerId> find_last_hidden(const nn::Network& network) {
  const auto& layers = network.layers();
  for (std::size_t i = layers.size(); i-- > 0;)
    if (std::holds_alternative<nn::Linear>(layers[i].op) && layers[i].inputs.front() != 0)
      return layers[i].inputs.front();
  return {};
}

nn::LayerId last_hidden(const nn::Network& network) {
  if (const auto found = find_last_hidden(network)) return *found;
  fail_usage("the classifier {} has no hidden layer before a linear one; name the layer of the features",
             network.name());
}

/// Calls body(first, count) for all of `total` rows.
template <class Body>
at::Tensor in_batches(std::int64_t total, const Body& body) {
  std::vector<at::Tensor> all;
  for (std::int64_t first = 0; first < total; first += kImagesAtOnce) {
    throw_if_interrupted();
    all.push_back(body(first, std::min(kImagesAtOnce, total - first)));
  }
  if (all.empty()) fail("there are no images to measure on");
  return at::cat(all);
}

}  // namespace

Features::Features(const Classifier& classifier, std::string_view layer)
    : classifier_(classifier),
      layer_(layer.empty() ? last_hidden(network_of(classifier)) : network_of(classifier).find(layer)) {}

bool Features::exist(const Classifier& classifier) {
  return classifier.network() != nullptr && find_last_hidden(*classifier.network()).has_value();
}

at::Tensor Features::of(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  const at::Tensor output =
      classifier_.network()
          ->activations(images.to(classifier_.device()), {layer_}, {.precision = classifier_.precision()})
          .front();
  const at::Tensor features = output.to(at::kCPU, at::kDouble);
  return features.dim() > 2 ? features.flatten(2).mean(2) : features;
}

at::Tensor Features::of(const data::Dataset& images) const {
  return in_batches(images.size(), [&](std::int64_t first, std::int64_t count) {
    return of(data::to_float(images, first, count));
  });
}

at::Tensor Features::of_decoded(const Decoder& decoder, const at::Tensor& codes) const {
  const at::NoGradGuard no_grad;
  const at::Tensor placed = codes.to(decoder.device());
  return in_batches(codes.size(0), [&](std::int64_t first, std::int64_t count) {
    return of(decoder.decode(placed.narrow(0, first, count)));
  });
}

at::Tensor Features::of_samples(const Decoder& decoder, std::int64_t count, at::Generator& generator) const {
  return of_decoded(decoder, at::randn({count, decoder.latents()}, generator, draws_of(generator)));
}

const std::string& Features::layer() const { return classifier_.network()->layers()[layer_].name; }

std::int64_t Features::size() const { return classifier_.network()->layers()[layer_].shape.front(); }

}  // namespace whence::models
