#include "explain/attribution/path_layer.h"

#include "explain/attribution/feature_maps.h"
#include "explain/attribution/passes.h"

namespace whence::attribution {
namespace {

/// Calls body(image) for each image's path; as many at once as `batch` images of paths.
void for_paths(const models::Classifier& classifier, const at::Tensor& paths, std::int64_t batch,
               const std::function<void(std::int64_t image)>& body) {
  const std::int64_t at_once = std::max<std::int64_t>(1, batch / paths.size(1));
  in_passes(classifier, paths.size(0), at_once, [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t image = first; image < first + count; ++image) body(image);
  });
}

nn::Shape maps_shape(const models::Classifier& classifier, nn::LayerId layer) {
  return classifier.network()->layers()[layer].shape;
}

}  // namespace

at::Tensor layer_gradients_along(const models::Classifier& classifier, nn::LayerId layer,
                                 const at::Tensor& paths, const at::Tensor& target, Score score,
                                 std::int64_t batch) {
  const nn::Shape shape = maps_shape(classifier, layer);
  const std::int64_t steps = paths.size(1);
  const at::Tensor maps = at::zeros({paths.size(0), 1, shape[1], shape[2]}, paths.options());
  for_paths(classifier, paths, batch, [&](std::int64_t image) {
    const LayerGradient found =
        layer_gradient(classifier, layer, paths[image], target[image].expand({steps}), score);
    const at::NoGradGuard no_grad;
    const at::Tensor way = found.activation.diff(1, 0), mean = 0.5 * (found.gradient.narrow(0, 1, steps - 1) +
                                                                      found.gradient.narrow(0, 0, steps - 1));
    maps[image][0].copy_((way * mean).sum(at::IntArrayRef{0, 1}));
  });
  return maps;
}

at::Tensor layer_mask_gains(const models::Classifier& classifier, nn::LayerId layer, const at::Tensor& paths,
                            const at::Tensor& target, const at::Tensor& masks, std::int64_t batch) {
  const nn::Network& network = *classifier.network();
  const nn::Execution how{.precision = classifier.precision()};
  const std::int64_t steps = paths.size(1) - 1;
  const at::Tensor gains = at::zeros({paths.size(0), steps}, paths.options());
  for_paths(classifier, paths, batch, [&](std::int64_t image) {
    const at::NoGradGuard no_grad;
    const at::Tensor path = paths[image], maps = network.activations(path, {layer}, how).front(),
                     own = target[image].expand({steps});
    const at::Tensor start = maps.narrow(0, 0, steps), seen = start + masks[image] * maps.diff(1, 0);
    const at::Tensor images = path.narrow(0, 0, steps);
    const at::Tensor changed = network.intervene(
        images, {{layer, [&](const at::Tensor& value) { return seen.to(value.scalar_type()); }}}, how);
    const at::Tensor before = network.forward(images, how);
    gains[image].copy_(of_target(changed, own, Score::probability) -
                       of_target(before, own, Score::probability));
  });
  return gains;
}

}  // namespace whence::attribution
