#include "whence/explain/visualization/regularizers.h"

#include <ATen/ATen.h>

#include <numbers>

#include "whence/platform/device.h"

namespace whence::visualization {
namespace {

constexpr double kSmooth = 1e-8;

at::Tensor padded(const at::Tensor& x, std::int64_t radius) {
  return at::replication_pad2d(x, {radius, radius, radius, radius});
}

/// Numbers from -1 to 1, (rows, columns).
at::Tensor draws(std::int64_t rows, std::int64_t columns, at::Generator& generator, const at::Tensor& like) {
  return (2 * at::rand({rows, columns}, generator, draws_of(generator)) - 1).to(like.options());
}

/// (N, 2, 3): where in the old image each point of the new one lies, in grid_sampler's coordinates.
at::Tensor movements(const at::Tensor& x, const Robustness& robustness, at::Generator& generator) {
  const auto height = static_cast<double>(x.size(2)), width = static_cast<double>(x.size(3));
  const auto columns = draws(x.size(0), 4, generator, x).unbind(1);
  const at::Tensor angle = columns[0] * (robustness.rotation * std::numbers::pi / 180),
                   zoom = 1 / (1 + robustness.scale * columns[1]);
  const at::Tensor cosine = angle.cos() * zoom, sine = angle.sin() * zoom;
  const at::Tensor right = columns[2] * (2 * robustness.jitter / width),
                   down = columns[3] * (2 * robustness.jitter / height);
  return at::stack({cosine, -sine * (height / width), right, sine * (width / height), cosine, down}, 1)
      .view({-1, 2, 3});
}

}  // namespace

at::Tensor total_variation(const at::Tensor& x) {
  const at::Tensor right = at::constant_pad_nd(x.diff(1, 3), {0, 1}),
                   down = at::constant_pad_nd(x.diff(1, 2), {0, 0, 0, 1});
  return (right.square() + down.square() + kSmooth).sqrt().flatten(1).mean(1);
}

at::Tensor with_norm(const at::Tensor& x, const at::Tensor& norms) {
  const at::Tensor own = x.flatten(1).norm(2, 1).clamp_min(1e-12);
  return (x * (norms.to(x.options()) / own).view({-1, 1, 1, 1})).clamp_max(1);
}

at::Tensor bilateral_blur(const at::Tensor& x, double sigma, double range) {
  const auto radius = static_cast<std::int64_t>(std::ceil(2 * sigma));
  const std::int64_t side = 2 * radius + 1;
  const at::Tensor neighbours = at::im2col(padded(x, radius), {side, side}, {1, 1}, {0, 0}, {1, 1})
                                    .view({x.size(0), x.size(1), side * side, x.size(2), x.size(3)});
  const at::Tensor at = at::arange(-radius, radius + 1, x.options()).square();
  const at::Tensor apart = (at.unsqueeze(0) + at.unsqueeze(1)).view({1, 1, -1, 1, 1}) / (2 * sigma * sigma);
  const at::Tensor colour =
      (neighbours - x.unsqueeze(2)).square().sum(1, /*keepdim=*/true) / (2 * range * range);
  const at::Tensor weights = (-apart - colour).exp();
  return (weights * neighbours).sum(2) / weights.sum(2);
}

at::Tensor disturbed(const at::Tensor& x, const Robustness& robustness, at::Generator& generator) {
  at::Tensor y = x;
  if (robustness.moves()) {
    const at::Tensor places =
        at::affine_grid_generator(movements(x, robustness, generator), x.sizes(), /*align_corners=*/false);
    y = at::grid_sampler_2d(y.contiguous(), places, /*interpolation: bilinear*/ 0, /*padding: edge*/ 1,
                            /*align_corners=*/false);
  }
  if (robustness.colour > 0) {
    const at::Tensor contrast = 1 + robustness.colour * draws(x.size(0), 1, generator, x).view({-1, 1, 1, 1});
    const at::Tensor brightness =
        robustness.colour * draws(x.size(0), x.size(1), generator, x).view({x.size(0), -1, 1, 1});
    y = ((y - 0.5) * contrast + 0.5 + brightness).clamp(0, 1);
  }
  return y;
}

at::Tensor likeness(const at::Tensor& texture) {
  const std::int64_t pictures = texture.size(1);
  if (pictures == 1) return texture.new_zeros({texture.size(0), 1});
  at::Tensor products = texture.matmul(texture.transpose(2, 3)).flatten(2);
  products = products / products.norm(2, 2, true).clamp_min(1e-12);
  const at::Tensor cosines = products.matmul(products.transpose(1, 2));
  return (cosines.sum(2) - cosines.diagonal(0, 1, 2)) / static_cast<double>(pictures - 1);
}

}  // namespace whence::visualization
