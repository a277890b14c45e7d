#include "whence/explain/gce/manifold.h"
#include "whence/models/train/vae_loss.h"

#include "core/compatibility.h"
#include "whence/explain/gce/objective.h"

namespace whence::gce {

Manifold::Manifold(const nn::Network& encoder, const nn::Network& decoder)
    : encoder_(encoder.clone("manifold-" + encoder.name())),
      decoder_(decoder.clone("manifold-" + decoder.name())) {
  for (nn::Network* network : networks()) network->require_gradients(false);
}

void Manifold::take(const nn::Network& encoder, const nn::Network& decoder) {
  encoder_.load_state(encoder.state());
  decoder_.load_state(decoder.state());
}

at::Tensor Manifold::nearest(const at::Tensor& images, Precision precision) const {
  const at::NoGradGuard no_grad;
  const nn::Execution judged{.precision = precision};
  return decoder_.forward(encoder_.forward(images, judged), judged);
}

at::Tensor departure(const Manifold& manifold, const at::Tensor& images, Precision precision) {
  return models::squared_error(images, manifold.nearest(images, precision));
}

}  // namespace whence::gce
