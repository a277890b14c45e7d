#include "whence/explain/attribution/grad_cam.h"

#include <torch/csrc/autograd/autograd.h>

#include "explain/attribution/passes.h"
#include "whence/core/error.h"

namespace whence::attribution {
namespace {

/// The only layer that reads this one, where it completes it: a normalisation, an activation or the end of a skip connection.
std::optional<nn::LayerId> completed_by(const nn::Network& network, nn::LayerId layer) {
  std::vector<nn::LayerId> readers;
  for (nn::LayerId id = layer + 1; id < network.layers().size(); ++id)
    for (const nn::LayerId input : network.layers()[id].inputs)
      if (input == layer) readers.push_back(id);
  if (readers.size() != 1) return std::nullopt;
  const nn::Op& op = network.layers()[readers.front()].op;
  const bool completes = std::holds_alternative<nn::BatchNorm2d>(op) ||
                         std::holds_alternative<nn::Relu>(op) || std::holds_alternative<nn::LeakyRelu>(op) ||
                         std::holds_alternative<nn::Add>(op);
  return completes ? std::optional(readers.front()) : std::nullopt;
}

/// The last convolution before the output, in the order of execution, with what completes it.
nn::LayerId last_feature_maps(const nn::Network& network) {
  for (nn::LayerId id = network.outputs().front() + 1; id-- > 0;) {
    if (!std::holds_alternative<nn::Conv2d>(network.layers()[id].op)) continue;
    while (const std::optional<nn::LayerId> next = completed_by(network, id)) id = *next;
    return id;
  }
  fail_usage("network \"{}\" has no convolution for Grad-CAM; name a layer with height and width",
             network.name());
}

nn::LayerId layer_for(const nn::Network& network, const std::string& name) {
  if (name.empty()) return last_feature_maps(network);
  const nn::LayerId id = [&] {
    try {
      return network.find(name);
    } catch (const Error& error) {
      throw Error(error.what(), ExitCode::usage);
    }
  }();
  if (network.layers()[id].shape.size() != 3)
    fail_usage("Grad-CAM needs a layer with height and width, which layer \"{}\" of network \"{}\" lacks",
               name, network.name());
  return id;
}

struct LayerGradient {
  at::Tensor activation, gradient, scores;
};

/// The gradient at the layer's value, taken as it is: paths around the layer do no harm.
LayerGradient layer_gradient(const Request& request, nn::LayerId layer, const at::Tensor& x,
                             const at::Tensor& target, Score score) {
  const nn::Network& network = *request.classifier.network();
  const at::AutoGradMode with_gradients(true);
  at::Tensor value;
  const auto take = [&](const at::Tensor& output) { return value = output.detach().requires_grad_(); };
  const at::Tensor logits =
      network.intervene(x, {{layer, take}}, {.precision = request.classifier.precision()});
  if (!value.defined() || !logits.requires_grad())
    fail_usage("the logits of network \"{}\" do not depend on layer \"{}\"", network.name(),
               network.layers()[layer].name);
  const at::Tensor scores = of_target(logits, target, score);
  const at::Tensor gradient = torch::autograd::grad({scores.sum()}, {value}).front();
  return {value.detach().to(at::kFloat), gradient.to(at::kFloat), scores.detach()};
}

}  // namespace

Attribution grad_cam_of_layer(const Request& request, const Options& options) {
  const nn::Network& network = *request.classifier.network();
  const nn::LayerId layer = layer_for(network, options.of<GradCam>().layer);
  const nn::Shape& shape = network.layers()[layer].shape;
  const at::Tensor& x = request.x;
  const at::Tensor maps = at::empty({x.size(0), 1, shape[1], shape[2]}, x.options());
  const at::Tensor scores = at::empty({x.size(0)}, x.options());
  in_passes(request.classifier, x.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    const LayerGradient at_layer = layer_gradient(request, layer, x.narrow(0, first, count),
                                                  request.target.narrow(0, first, count), options.score);
    const at::NoGradGuard no_grad;
    const at::Tensor weights = at_layer.gradient.mean({2, 3}, true);
    maps.narrow(0, first, count).copy_((weights * at_layer.activation).sum(1, true).relu());
    scores.narrow(0, first, count).copy_(at_layer.scores);
  });
  return {maps, scores, {}, {}};
}

Attribution grad_cam(const Request& request, const Options& options) {
  Attribution found = grad_cam_of_layer(request, options);
  found.values = at::upsample_bilinear2d(found.values, request.x.sizes().slice(2), /*align_corners=*/false);
  return found;
}

}  // namespace whence::attribution
