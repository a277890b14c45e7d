#include "whence/models/train/feature_term.h"

#include <ATen/ATen.h>

#include "whence/core/error.h"

namespace whence::models {
namespace {

using at::Tensor;

constexpr std::int64_t kShrinkings[] = {2, 4, 8};

const nn::Network& network_of(const Classifier& classifier) {
  if (classifier.network() == nullptr)
    fail_usage("comparing features needs a classifier whose layers are known{}{}",
               classifier.why_opaque().empty() ? "" : "; this one stays opaque: ", classifier.why_opaque());
  return *classifier.network();
}

/// (n, C, ...) -> (C): the deviation of each channel, bounded below by a share of the mean one.
Tensor deviations_of(const Tensor& output) {
  const Tensor values = output.to(at::kFloat).transpose(0, 1).flatten(1);
  const Tensor deviation = (values - values.mean(1, true)).square().mean(1).sqrt();
  return deviation.clamp_min(0.05 * deviation.mean().item<double>() + 1e-12);
}

}  // namespace

std::vector<std::string> feature_layers(const Classifier& classifier) {
  const nn::Network& network = network_of(classifier);
  const nn::Shape& image = network.input_shape();
  std::vector<std::string> names;
  for (const std::int64_t by : kShrinkings) {
    std::string last;
    for (const nn::Layer& layer : network.layers())
      if (layer.shape.size() == 3 && image.size() == 3 && layer.shape[1] == image[1] / by) last = layer.name;
    if (!last.empty()) names.push_back(last);
  }
  if (names.empty())
    fail_usage(
        "no layer of the classifier {} has maps of half, a quarter or an eighth of the image's height; name "
        "its "
        "layers in generator.feature_layers",
        network.name());
  return names;
}

ReconstructionTerm feature_term(const Classifier& classifier, const std::vector<std::string>& layers,
                                const at::Tensor& images, double weight) {
  const nn::Network& network = network_of(classifier);
  std::vector<nn::LayerId> wanted;
  for (const std::string& layer : layers) wanted.push_back(network.find(layer));
  const nn::Execution execution{.precision = classifier.precision()};
  std::vector<Tensor> deviations;
  {
    const at::NoGradGuard no_gradients;
    for (const Tensor& output : network.activations(images, wanted, execution)) {
      std::vector<std::int64_t> sizes(static_cast<std::size_t>(output.dim()), 1);
      sizes[1] = output.size(1);
      deviations.push_back(deviations_of(output).view(sizes));
    }
  }
  const auto mean = [&network, wanted, execution, deviations](const Tensor& made, const Tensor& real) {
    std::vector<Tensor> sought;
    {
      const at::NoGradGuard no_gradients;
      sought = network.activations(real, wanted, execution);
    }
    const std::vector<Tensor> found = network.activations(made, wanted, execution);
    Tensor sum;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Tensor own =
          ((found[i].to(at::kFloat) - sought[i].to(at::kFloat)) / deviations[i]).square().mean();
      sum = sum.defined() ? sum + own : own;
    }
    return sum;
  };
  return {"features", weight, mean};
}

}  // namespace whence::models
