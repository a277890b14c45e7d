#include "whence/explain/flow/linear_reference.h"

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/platform/device.h"

namespace whence::flow {
namespace {

constexpr double kNoise = 0.5;  ///< the variance of each pixel that SSE stands for

/// Calls `body` with the images, batch by batch, as rows (n, D) of float32.
void for_rows(const data::Dataset& dataset, const std::function<void(const at::Tensor&)>& body) {
  if (dataset.size() == 0) fail("there are no images to measure on");
  for_batches(dataset.size(), kBatch, [&](std::int64_t first, std::int64_t count) {
    body(data::to_float(dataset, first, count).flatten(1));
  });
}

}  // namespace

LinearReference fit_linear(const data::Dataset& train, std::int64_t latents, at::Generator& generator) {
  return worth_their_code(models::principal_components(train, latents, generator));
}

LinearReference worth_their_code(const models::Components& components) {
  const std::int64_t used = (components.variances > kNoise).sum().item<std::int64_t>();
  return {components.mean, components.directions.narrow(1, 0, used).contiguous(),
          components.variances.narrow(0, 0, used)};
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
