#include "whence/models/train/whiten.h"

#include "whence/core/error.h"
#include "whence/models/roles.h"

namespace whence::models {
namespace {

using at::Tensor;

constexpr std::int64_t kAtOnce = 500;
/// Of the mean eigenvalue: what keeps a latent that never moves from an infinite scale.
constexpr double kRidge = 1e-9;

/// With a bias.
bool is_linear(const nn::Layer& layer) {
  const auto* linear = std::get_if<nn::Linear>(&layer.op);
  return linear != nullptr && linear->bias;
}

/// The decoder's layers that read the latents.
std::vector<const nn::Layer*> readers_of(const nn::Network& decoder) {
  std::vector<const nn::Layer*> readers;
  for (const nn::Layer& layer : decoder.layers())
    if (std::find(layer.inputs.begin(), layer.inputs.end(), nn::LayerId{0}) != layer.inputs.end())
      readers.push_back(&layer);
  return readers;
}

const Tensor& parameter(const nn::Layer& layer, std::string_view name) {
  for (const nn::NamedTensor& entry : layer.parameters)
    if (entry.name == name) return entry.tensor;
  fail("layer {} has no {}", layer.name, name);
}

/// Of the posterior means, and the mean posterior variances; in float64.
struct Moments {
  Tensor centre, covariance, variance;
};
Moments moments_of(const nn::Network& encoder, const data::Dataset& images) {
  std::vector<Tensor> means;
  Tensor variances;
  for (std::int64_t first = 0; first < images.size(); first += kAtOnce) {
    const std::int64_t count = std::min(kAtOnce, images.size() - first);
    const std::vector<Tensor> outputs =
        encoder.forward_all(data::to_float(images, first, count).to(encoder.device()));
    means.push_back(outputs[0].to(at::kCPU, at::kDouble));
    const Tensor sum = outputs[1].to(at::kCPU, at::kDouble).exp().sum(0);
    variances = variances.defined() ? variances + sum : sum;
  }
  const Tensor all = at::cat(means), centre = all.mean(0), spread = all - centre;
  const auto count = static_cast<double>(images.size());
  return {centre, spread.t().mm(spread) / count, variances / count};
}

/// Replaces the values, which keep their type and place.
void put(const Tensor& parameter, const Tensor& value) { parameter.copy_(value.view(parameter.sizes())); }
Tensor exact(const Tensor& parameter) { return parameter.detach().to(at::kCPU, at::kDouble); }

/// Rows of a linear layer become `basis` times the rows, plus `shift`.
void change_outputs(const nn::Layer& layer, const Tensor& basis, const Tensor& shift) {
  put(parameter(layer, "weight"), basis.mm(exact(parameter(layer, "weight"))));
  put(parameter(layer, "bias"), basis.mv(exact(parameter(layer, "bias"))) + shift);
}

}  // namespace

void check_whitening(const nn::Network& encoder, const nn::Network& decoder, const std::string& who) {
  bool linear = encoder.outputs().size() == 2;
  for (const nn::LayerId output : encoder.outputs()) linear = linear && is_linear(encoder.layers()[output]);
  for (const nn::Layer* reader : readers_of(decoder)) linear = linear && is_linear(*reader);
  if (!linear)
    fail_usage(
        "{} needs an encoder that ends in linear layers and a decoder that begins with them; {} and {} do "
        "not",
        who, encoder.name(), decoder.name());
}

void whiten_codes(nn::Network& encoder, nn::Network& decoder, const data::Dataset& images) {
  check_whitening(encoder, decoder, "whitening");
  const at::NoGradGuard no_gradients;
  const auto [centre, covariance, variance] = moments_of(encoder, images);
  const Tensor moment = covariance + at::diag(variance);
  if (!moment.isfinite().all().item<bool>())
    fail("codes of {} are NaN or infinity, so they cannot be whitened", encoder.name());
  const Tensor ridge = kRidge * moment.diagonal().mean() * at::eye(moment.size(0), moment.options());
  const Tensor root = at::linalg_cholesky(moment + ridge);
  const Tensor inverse_root = at::linalg_inv(root);
  const auto [posterior, turn] = at::linalg_eigh((inverse_root * variance.unsqueeze(0)).mm(inverse_root.t()));
  const Tensor basis = turn.t().mm(inverse_root), back = root.mm(turn);
  const Tensor share = basis.square() * variance.unsqueeze(0) / posterior.unsqueeze(1);

  const nn::Layer &mean = encoder.layers()[encoder.outputs()[0]],
                  &log_variance = encoder.layers()[encoder.outputs()[1]];
  change_outputs(mean, basis, -basis.mv(centre));
  change_outputs(log_variance, share, posterior.log() - share.mv(variance.log()));
  for (const nn::Layer* reader : readers_of(decoder)) {
    const Tensor weight = exact(parameter(*reader, "weight"));
    put(parameter(*reader, "bias"), exact(parameter(*reader, "bias")) + weight.mv(centre));
    put(parameter(*reader, "weight"), weight.mm(back));
  }
}

}  // namespace whence::models
