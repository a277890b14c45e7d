#include "whence/explain/attribution/grad_cam.h"

#include "explain/attribution/feature_maps.h"
#include "explain/attribution/passes.h"

namespace whence::attribution {

Attribution grad_cam_of_layer(const Request& request, const Options& options) {
  const nn::Network& network = *request.classifier.network();
  const nn::LayerId layer = feature_maps_of(network, options.of<GradCam>().layer, "Grad-CAM");
  const nn::Shape& shape = network.layers()[layer].shape;
  const at::Tensor& x = request.x;
  const at::Tensor maps = at::empty({x.size(0), 1, shape[1], shape[2]}, x.options());
  const at::Tensor scores = at::empty({x.size(0)}, x.options());
  in_passes(request.classifier, x.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    const LayerGradient at_layer = layer_gradient(request.classifier, layer, x.narrow(0, first, count),
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
