#include "whence/models/train/linear_start.h"

#include <algorithm>

#include "whence/core/error.h"

namespace whence::models {
namespace {

using at::Tensor;

/// Smallest variance of a component that a latent stands for, and smallest posterior variance (kl_weight may be 0).
constexpr double kLeastVariance = 1e-6, kLeastPosterior = 1e-6;

/// "layer.weight" and the like, of parameters and buffers.
Tensor tensor_of(const nn::Network& network, std::string_view name) {
  for (const nn::NamedTensor& entry : network.state())
    if (entry.name == name) return entry.tensor;
  fail("the network {} has no linear path: it has no tensor {}", network.name(), name);
}

void set(const nn::Network& network, std::string_view name, const Tensor& value) {
  const Tensor own = tensor_of(network, name);
  if (own.numel() != value.numel())
    fail("{} of {} has {} values, but the components give {}; images and latents must be the same", name,
         network.name(), own.numel(), value.numel());
  own.copy_(value.view(own.sizes()));
}

void clear(const nn::Network& network, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) tensor_of(network, name).zero_();
}

}  // namespace

bool has_linear_path(const nn::Network& decoder) { return decoder.name() == "linear-path-decoder"; }

void start_linear_path(nn::Network& encoder, nn::Network& decoder, const Components& components,
                       double kl_weight) {
  const at::NoGradGuard no_gradients;
  const std::int64_t latents = decoder.input_shape()[0],
                     used = std::min(latents, components.directions.size(1));
  const Tensor directions =
      at::zeros({components.directions.size(0), latents}, components.directions.options());
  directions.narrow(1, 0, used).copy_(components.directions.narrow(1, 0, used));
  const Tensor variances = at::full({latents}, kLeastVariance, components.variances.options());
  variances.narrow(0, 0, used).copy_(components.variances.narrow(0, 0, used).clamp_min(kLeastVariance));
  const Tensor deviations = variances.sqrt().to(at::kFloat);
  const Tensor posterior =
      (kl_weight / (2 * variances + kl_weight)).clamp_min(kLeastPosterior).log().to(at::kFloat);

  set(encoder, "linear.weight", directions.t().contiguous());
  set(encoder, "linear.bias", -directions.t().mv(components.mean));
  set(encoder, "mean.scale", 1 / deviations);
  set(encoder, "log_variance.bias", posterior);
  clear(encoder, {"bent.weight", "bent.bias", "log_variance.weight"});
  set(decoder, "scale.scale", deviations);
  set(decoder, "linear.weight", directions);
  set(decoder, "linear.bias", components.mean);
  clear(decoder, {"bent.weight", "bent.bias"});
}

}  // namespace whence::models
