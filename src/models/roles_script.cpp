#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/models/roles.h"
#include "whence/platform/device.h"

namespace whence::models {
namespace {

using nn::Network;
using nn::ScriptModule;
using nn::Shape;

constexpr double smallest_probability = 1e-12;
constexpr double row_sum_tolerance = 1e-3;
constexpr std::int64_t probe_images = 4;
/// Difference of two answers that are the same but for rounding, as a part of the largest value.
constexpr double same_answer = 1e-3;

ScriptModule load_frozen(const std::filesystem::path& file) {
  ScriptModule module(file);
  module.require_gradients(false);
  return module;
}

std::string name_of(const ScriptModule& module) { return module.path().string(); }

bool agree(const at::Tensor& a, const at::Tensor& b) {
  const double scale = a.numel() == 0 ? 1 : std::max(a.abs().max().item<double>(), 1e-12);
  return a.sizes() == b.sizes() &&
         (a.numel() == 0 || (a - b).abs().max().item<double>() <= same_answer * scale);
}

/// Error: a module that is no function of one image. Explanations would explain its noise, or the other images.
void check_function(const ScriptModule& module, const at::Tensor& probe,
                    const std::vector<at::Tensor>& outputs) {
  const std::vector<at::Tensor> again = module(probe.cpu()), alone = module(probe.cpu().narrow(0, 0, 1));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (again.size() != outputs.size() || !agree(outputs[i], again[i].to(at::kFloat))) {
      fail(
          "{} gives other answers when it is asked again; export it in evaluation mode, without random "
          "numbers",
          name_of(module));
    }
    if (alone.size() != outputs.size() || !agree(outputs[i].narrow(0, 0, 1), alone[i].to(at::kFloat))) {
      fail(
          "{} gives another answer for a sample alone than in a batch; export it in evaluation mode, so that "
          "samples do "
          "not change one another's answers",
          name_of(module));
    }
  }
}

/// Runs the module on `probe` and checks what every role asks: one row per sample, all values finite, a function of
/// each sample. The module lies on the processor as yet.
std::vector<at::Tensor> probe_outputs(const ScriptModule& module, const at::Tensor& probe) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> outputs = module(probe.cpu());
  for (at::Tensor& output : outputs) {
    if (!output.is_floating_point() || output.dim() < 1 || output.size(0) != probe.size(0)) {
      fail(
          "{} returns a tensor of shape {} and type {} for a batch of {}; it must return floating-point "
          "numbers with "
          "one row per sample",
          name_of(module), nn::text_of(output.sizes()), at::toString(output.scalar_type()), probe.size(0));
    }
    if (!at::isfinite(output).all().item<bool>()) {
      fail(
          "{} returns NaN or infinity for an input of shape {}; check its weights and the range of the "
          "inputs it "
          "expects (here {:.3g} to {:.3g})",
          name_of(module), nn::text_of(probe.sizes()), probe.min().item<double>(),
          probe.max().item<double>());
    }
    output = output.to(at::kFloat);
  }
  check_function(module, probe, outputs);
  return outputs;
}

at::Tensor single_output(const ScriptModule& module, const at::Tensor& probe) {
  std::vector<at::Tensor> outputs = probe_outputs(module, probe);
  if (outputs.size() != 1) {
    fail("{} returns {} tensors where one is expected; export a model that returns only the one",
         name_of(module), outputs.size());
  }
  return outputs.front();
}

Shape sample_shape(const at::Tensor& batch) { return batch.sizes().slice(1).vec(); }

/// (N, M, 1, 1) as (N, M): what a classifier returns that ends in a convolution or a pooling.
at::Tensor flat_rows(const at::Tensor& output) {
  const bool unflattened = output.dim() == 4 && output.size(2) == 1 && output.size(3) == 1;
  return unflattened ? output.flatten(1) : output;
}

bool are_probabilities(const at::Tensor& rows) {
  return rows.min().item<double>() >= 0 && (rows.sum(1) - 1).abs().max().item<double>() <= row_sum_tolerance;
}

class ScriptClassifier final : public Classifier {
 public:
  /// `shape`: of an image; empty where it is not known.
  ScriptClassifier(ScriptModule module, std::int64_t classes, bool probabilities, Shape shape,
                   std::string why_opaque)
      : module_(std::move(module)),
        classes_(classes),
        probabilities_(probabilities),
        shape_(std::move(shape)),
        why_opaque_(std::move(why_opaque)) {}
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor output = flat_rows(module_(x).front().to(at::kFloat));
    return probabilities_ ? output.clamp_min(smallest_probability).log() : output;
  }
  std::int64_t classes() const override { return classes_; }
  Shape input_shape() const override { return shape_; }
  at::Device device() const override { return module_.device(); }
  std::string why_opaque() const override { return why_opaque_; }

 private:
  ScriptModule module_;
  std::int64_t classes_;
  bool probabilities_;
  Shape shape_;
  std::string why_opaque_;
};

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

bool decide_probabilities(const ScriptModule& module, const at::Tensor& rows, ClassifierOutput output) {
  if (output == ClassifierOutput::logits) return false;
  const bool looks_so = are_probabilities(rows);
  if (output == ClassifierOutput::probabilities && !looks_so) {
    fail(
        "{} should return probabilities, but its rows have a minimum of {:.3g} and sums from {:.4g} to "
        "{:.4g}; "
        "it seems to return logits",
        name_of(module), rows.min().item<double>(), rows.sum(1).min().item<double>(),
        rows.sum(1).max().item<double>());
  }
  return looks_so;
}

/// Where a network ends in a softmax, what it gets are the logits, free of the rounding of small
/// probabilities.
bool take_logits(Network& network) {
  const nn::Layer& last = network.layers()[network.outputs().front()];
  if (!std::holds_alternative<nn::Softmax>(last.op)) return false;
  network.set_outputs({network.layers()[last.inputs.front()].name});
  return true;
}

/// The number of inputs of the module's first weight, when that is a linear layer's.
std::optional<std::int64_t> wanted_latents(const ScriptModule& module) {
  for (const nn::NamedTensor& parameter : module.parameters()) {
    if (parameter.tensor.dim() == 2) return parameter.tensor.size(1);
    if (parameter.tensor.dim() > 2) return std::nullopt;
  }
  return std::nullopt;
}

/// `shape`: of an image, where the file tells it.
std::unique_ptr<Classifier> classifier_of(ScriptModule module, const at::Tensor& probe,
                                          ClassifierOutput output, Precision precision, Shape shape) {
  const at::Tensor rows = flat_rows(single_output(module, probe));
  if (rows.dim() != 2 || rows.size(1) < 2) {
    fail(
        "{} returns a tensor of shape {} for {} samples; a classifier must return one row of at least 2 "
        "class scores "
        "per sample (turn one sigmoid output p into the two columns 1 - p and p)",
        name_of(module), nn::text_of(rows.sizes()), probe.size(0));
  }
  const bool probabilities = decide_probabilities(module, rows, output);
  std::string obstacle;
  std::optional<Network> network = module.translate(sample_shape(probe), &obstacle);
  if (network && (!probabilities || take_logits(*network))) {
    network->to(probe.device());
    return as_classifier(*network, precision);
  }
  if (network)
    obstacle = "it returns probabilities, but its last operation is not a softmax over the classes";
  module.to(probe.device());
  return std::make_unique<ScriptClassifier>(std::move(module), rows.size(1), probabilities, std::move(shape),
                                            std::move(obstacle));
}

}  // namespace

std::unique_ptr<Classifier> load_classifier(const std::filesystem::path& file, const at::Tensor& probe,
                                            ClassifierOutput output, Precision precision) {
  return classifier_of(load_frozen(file), probe, output, precision, {});
}

std::unique_ptr<Classifier> load_classifier(const std::filesystem::path& file, ClassifierOutput output,
                                            Precision precision) {
  ScriptModule module = load_frozen(file);
  std::string obstacle;
  const std::optional<Shape> shape = module.input_shape(&obstacle);
  if (!shape) {
    fail("{} does not tell the shape of its images ({}); give it as CHANNELSxHEIGHTxWIDTH, such as 3x32x32",
         name_of(module), obstacle);
  }
  Shape sizes = {probe_images};
  sizes.insert(sizes.end(), shape->begin(), shape->end());
  const Generator generator = make_generator(0, "models/probe");
  const at::Tensor probe = at::rand(sizes, generator, draws_of(generator));
  return classifier_of(std::move(module), probe, output, precision, *shape);
}

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
  const std::vector<at::Tensor> outputs = probe_outputs(module, probe);
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
