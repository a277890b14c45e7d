// Decoders and encoders from TorchScript and .pt2 files.
#include "models/function_check.h"
#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/models/roles.h"

namespace whence::models {
namespace {

using nn::Network;
using nn::ScriptModule;
using nn::Shape;

at::Tensor single_output(const ScriptModule& module, const at::Tensor& probe) {
  std::vector<at::Tensor> outputs = checked_outputs(module, checked_samples(probe));
  if (outputs.size() != 1) {
    fail("{} returns {} tensors where one is expected; export a model that returns only the one",
         name_of(module), outputs.size());
  }
  return outputs.front();
}

class ScriptDecoder final : public Decoder {
 public:
  ScriptDecoder(ScriptModule module, std::int64_t latents) : module_(std::move(module)), latents_(latents) {}
  at::Tensor decode(const at::Tensor& z) const override { return module_(z).front().to(at::kFloat); }
  std::int64_t latents() const override { return latents_; }
  at::Device device() const override { return module_.device(); }

 private:
  ScriptModule module_;
  std::int64_t latents_;
};

/// Takes (mean, log_variance) or one tensor that holds both, and so serves networks and modules alike.
Posterior posterior_of(std::vector<at::Tensor> outputs) {
  if (outputs.size() == 1) outputs = outputs.front().chunk(2, 1);
  return {outputs[0].to(at::kFloat), outputs[1].to(at::kFloat)};
}

class ScriptEncoder final : public Encoder {
 public:
  ScriptEncoder(ScriptModule module, std::int64_t latents) : module_(std::move(module)), latents_(latents) {}
  Posterior encode(const at::Tensor& x) const override { return posterior_of(module_(x)); }
  std::int64_t latents() const override { return latents_; }
  at::Device device() const override { return module_.device(); }

 private:
  ScriptModule module_;
  std::int64_t latents_;
};

/// A translated encoder whose one output holds mean and log-variance.
class JoinedEncoder final : public Encoder {
 public:
  JoinedEncoder(const Network& network, Precision precision)
      : network_(network.frozen(precision)), execution_{.precision = precision} {}
  Posterior encode(const at::Tensor& x) const override {
    return posterior_of(network_.forward_all(x, execution_));
  }
  std::int64_t latents() const override { return network_.output_shape()[0] / 2; }
  const Network* network() const override { return &network_; }
  at::Device device() const override { return network_.device(); }

 private:
  Network network_;
  nn::Execution execution_;
};

/// The number of inputs of the module's first weight, when that is a linear layer's.
std::optional<std::int64_t> wanted_latents(const ScriptModule& module) {
  for (const nn::NamedTensor& parameter : module.parameters()) {
    if (parameter.tensor.dim() == 2) return parameter.tensor.size(1);
    if (parameter.tensor.dim() > 2) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Decoder> load_decoder(const std::filesystem::path& file, std::int64_t latents,
                                      Precision precision, at::Device device) {
  ScriptModule module = load_frozen(file);
  const at::Tensor probe = at::zeros({2, latents}, at::TensorOptions(at::kCPU).dtype(at::kFloat));
  try {
    const at::Tensor output = single_output(module, probe);
    if (output.dim() < 2)
      fail("{} returns one number per sample; a decoder must return images", name_of(module));
  } catch (const Error& error) {
    const std::optional<std::int64_t> wanted = wanted_latents(module);
    if (!wanted || *wanted == latents) throw;
    fail("{}; its first linear layer takes {} numbers, but {} latents were asked for", error.what(), *wanted,
         latents);
  }
  if (std::optional<Network> network = module.translate({latents})) {
    network->to(device);
    return as_decoder(*network, precision);
  }
  module.to(device);
  return std::make_unique<ScriptDecoder>(std::move(module), latents);
}

std::unique_ptr<Encoder> load_encoder(const std::filesystem::path& file, const at::Tensor& probe,
                                      Precision precision) {
  ScriptModule module = load_frozen(file);
  const std::vector<at::Tensor> outputs = checked_outputs(module, checked_samples(probe));
  const at::Tensor& first = outputs.front();
  const bool pair = outputs.size() == 2 && first.dim() == 2 && first.sizes() == outputs[1].sizes();
  const bool joined = outputs.size() == 1 && first.dim() == 2 && first.size(1) % 2 == 0;
  if (!pair && !joined) {
    fail(
        "{} returns {} tensors, the first of shape {}; an encoder must return the mean and the log-variance, "
        "each with "
        "one row of latents per sample, or both in one tensor with the mean first",
        name_of(module), outputs.size(), nn::text_of(first.sizes()));
  }
  if (std::optional<Network> network = module.translate(sample_shape(probe))) {
    network->to(probe.device());
    if (pair) return as_encoder(*network, precision);
    return std::make_unique<JoinedEncoder>(*network, precision);
  }
  module.to(probe.device());
  return std::make_unique<ScriptEncoder>(std::move(module), pair ? first.size(1) : first.size(1) / 2);
}

}  // namespace whence::models
