#include "whence/models/train/components.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>

#include "whence/core/error.h"
#include "whence/platform/device.h"
#include "whence/platform/interrupt.h"

namespace whence::models {
namespace {

constexpr std::int64_t kPasses = 6, kRows = 500;

/// Calls `body` with the images, batch by batch, as rows (n, D) of float32.
void for_rows(const data::Dataset& images, const std::function<void(const at::Tensor&)>& body) {
  if (images.size() == 0) fail("there are no images to find components of");
  for (std::int64_t first = 0; first < images.size(); first += kRows) {
    throw_if_interrupted();
    body(data::to_float(images, first, std::min(kRows, images.size() - first)).flatten(1));
  }
}

at::Tensor mean_image(const data::Dataset& images) {
  at::Tensor sum;
  for_rows(images, [&](const at::Tensor& rows) {
    const at::Tensor part = rows.sum(0, false, at::kDouble);
    sum = sum.defined() ? sum + part : part;
  });
  return (sum / static_cast<double>(images.size())).to(at::kFloat);
}

/// The images' covariance times `columns` (D, k), float64.
at::Tensor covariance_times(const data::Dataset& images, const at::Tensor& mean, const at::Tensor& columns) {
  at::Tensor product = at::zeros_like(columns, at::kDouble);
  for_rows(images, [&](const at::Tensor& rows) {
    const at::Tensor centred = rows - mean;
    product += centred.t().mm(centred.mm(columns)).to(at::kDouble);
  });
  return product / static_cast<double>(images.size());
}

at::Tensor orthonormal(const at::Tensor& columns) {
  return std::get<0>(at::linalg_qr(columns.to(at::kDouble))).to(at::kFloat);
}

}  // namespace

Components principal_components(const data::Dataset& images, std::int64_t count, at::Generator& generator) {
  if (count < 1) fail_usage("a linear image model needs at least 1 latent, not {}", count);
  const at::NoGradGuard no_gradients;
  Components model;
  model.mean = mean_image(images);
  const std::int64_t pixels = model.mean.size(0), columns = std::min(2 * count, pixels);
  const at::Tensor start =
      at::randn({pixels, columns}, generator, draws_of(generator)).to(model.mean.device());
  at::Tensor basis = orthonormal(start), product;
  for (std::int64_t pass = 0; pass < kPasses; ++pass) {
    if (pass > 0) basis = orthonormal(product);
    product = covariance_times(images, model.mean, basis);
  }
  const auto [values, vectors] = at::linalg_eigh(basis.to(at::kDouble).t().mm(product));  // rising
  const std::int64_t kept = std::min(count, pixels);
  model.variances = values.flip(0).narrow(0, 0, kept).clone();
  model.directions = basis.mm(vectors.flip(1).narrow(1, 0, kept).to(at::kFloat));
  return model;
}

at::Tensor reconstruct(const Components& components, const at::Tensor& images) {
  const at::Tensor centred = images.flatten(1) - components.mean;
  return (components.mean + centred.mm(components.directions).mm(components.directions.t()))
      .view(images.sizes());
}

}  // namespace whence::models
