#include "whence/explain/flow/linear_reference.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/platform/device.h"

namespace whence::flow {
namespace {

constexpr std::int64_t kPasses = 6;
constexpr double kNoise = 0.5;  ///< the variance of each pixel that SSE stands for

/// Calls `body` with the images, batch by batch, as rows (n, D) of float32.
void for_rows(const data::Dataset& dataset, const std::function<void(const at::Tensor&)>& body) {
  if (dataset.size() == 0) fail("there are no images to measure on");
  for_batches(dataset.size(), kBatch, [&](std::int64_t first, std::int64_t count) {
    body(data::to_float(dataset, first, count).flatten(1));
  });
}

at::Tensor mean_image(const data::Dataset& dataset) {
  at::Tensor sum;
  for_rows(dataset, [&](const at::Tensor& rows) {
    const at::Tensor part = rows.sum(0, false, at::kDouble);
    sum = sum.defined() ? sum + part : part;
  });
  return (sum / static_cast<double>(dataset.size())).to(at::kFloat);
}

/// The images' covariance times `columns` (D, k), float64.
at::Tensor covariance_times(const data::Dataset& dataset, const at::Tensor& mean, const at::Tensor& columns) {
  at::Tensor product = at::zeros_like(columns, at::kDouble);
  for_rows(dataset, [&](const at::Tensor& rows) {
    const at::Tensor centred = rows - mean;
    product += centred.t().mm(centred.mm(columns)).to(at::kDouble);
  });
  return product / static_cast<double>(dataset.size());
}

at::Tensor orthonormal(const at::Tensor& columns) {
  return std::get<0>(at::linalg_qr(columns.to(at::kDouble))).to(at::kFloat);
}

}  // namespace

LinearReference fit_linear(const data::Dataset& train, std::int64_t latents, at::Generator& generator) {
  if (latents < 1) fail_usage("a linear image model needs at least 1 latent, not {}", latents);
  const at::NoGradGuard no_gradients;
  LinearReference model;
  model.mean = mean_image(train);
  const std::int64_t pixels = model.mean.size(0), columns = std::min(2 * latents, pixels);
  const at::Tensor start =
      at::randn({pixels, columns}, generator, draws_of(generator)).to(model.mean.device());
  at::Tensor basis = orthonormal(start), product;
  for (std::int64_t pass = 0; pass < kPasses; ++pass) {
    if (pass > 0) basis = orthonormal(product);
    product = covariance_times(train, model.mean, basis);
  }
  const auto [values, vectors] = at::linalg_eigh(basis.to(at::kDouble).t().mm(product));  // rising
  const std::int64_t worth = (values > kNoise).sum().item<std::int64_t>(), used = std::min(worth, latents);
  model.variances = values.flip(0).narrow(0, 0, used).clone();
  model.directions = basis.mm(vectors.flip(1).narrow(1, 0, used).to(at::kFloat));
  return model;
}

LinearFidelity fidelity(const LinearReference& model, const data::Dataset& dataset) {
  const at::NoGradGuard no_gradients;
  const at::Tensor& variances = model.variances;
  at::Tensor along = at::zeros_like(variances);  // mean square of the images along each direction
  double all = 0;                                // and along every direction there is
  for_rows(dataset, [&](const at::Tensor& rows) {
    const at::Tensor centred = rows - model.mean;
    along += centred.mm(model.directions).square().sum(0, false, at::kDouble);
    all += centred.square().sum(at::kDouble).item<double>();
  });
  const auto images = static_cast<double>(dataset.size());
  along = along / images;
  // The posterior of z has the variance kNoise / v along a direction of variance v, and the mean y sqrt(v - kNoise) / v.
  const at::Tensor spread = kNoise / variances;
  const at::Tensor errors = along * spread.square() + (variances - kNoise) * spread;
  const at::Tensor nats =
      0.5 * (along * (variances - kNoise) / variances.square() + spread - 1 - spread.log());
  const auto total = [](const at::Tensor& values) { return values.sum().item<double>(); };
  return {all / images - total(along) + total(errors), total(nats), variances.size(0)};
}

nlohmann::json to_json(const LinearFidelity& fidelity) {
  return {{"sse", fidelity.sse}, {"kl", fidelity.kl}, {"used", fidelity.used}};
}

}  // namespace whence::flow
