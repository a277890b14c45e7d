#include <cmath>

#include "whence/nn/graph/network.h"

namespace whence::nn {
namespace {

/// Drawn in the order of the indices, whatever the layout of `tensor` in memory.
void fill_uniform(const at::Tensor& tensor, double bound, at::Generator& generator) {
  tensor.copy_(at::empty(tensor.sizes(), at::kFloat).uniform_(-bound, bound, generator));
}
void fill_normal(const at::Tensor& tensor, double mean, double deviation, at::Generator& generator) {
  tensor.copy_(at::empty(tensor.sizes(), at::kFloat).normal_(mean, deviation, generator));
}

/// He et al. 2015 with a = sqrt(5), as PyTorch's layers do: U(-b, b) with b = 1 / sqrt(fan in), for weight
/// and bias.
void initialise_uniform(const Layer& layer, at::Generator& generator) {
  const at::Tensor& weight = layer.parameters[0].tensor;
  const double fan_in = static_cast<double>(weight[0].numel());
  for (const NamedTensor& parameter : layer.parameters) {
    fill_uniform(parameter.tensor, 1 / std::sqrt(fan_in), generator);
  }
}

/// How many products a transposed convolution adds up for a pixel inside, or a convolution or linear layer for any.
double terms_of_output(const Layer& layer) {
  const at::Tensor& weight = layer.parameters[0].tensor;
  if (const auto* op = std::get_if<ConvTranspose2d>(&layer.op))
    return static_cast<double>(weight.size(0) * op->kernel * op->kernel) /
           static_cast<double>(op->stride * op->stride);
  return static_cast<double>(weight[0].numel());
}

/// Whether about half of the layer's outputs will be cut off.
bool is_rectified(const Network& network, const Layer& layer) {
  const auto& layers = network.layers();
  return std::any_of(layers.begin(), layers.end(), [&](const Layer& next) {
    const bool follows = std::any_of(next.inputs.begin(), next.inputs.end(),
                                     [&](LayerId input) { return &layers[input] == &layer; });
    return follows && (std::holds_alternative<Relu>(next.op) || std::holds_alternative<LeakyRelu>(next.op));
  });
}

void initialise_keeping_size(const Network& network, const Layer& layer, at::Generator& generator) {
  const double gain = is_rectified(network, layer) ? 2 : 1;
  fill_normal(layer.parameters[0].tensor, 0, std::sqrt(gain / terms_of_output(layer)), generator);
  if (layer.parameters.size() > 1) layer.parameters[1].tensor.zero_();
}

bool is_product(const Layer& layer) {
  return std::holds_alternative<Conv2d>(layer.op) || std::holds_alternative<ConvTranspose2d>(layer.op) ||
         std::holds_alternative<Linear>(layer.op);
}

void initialise_convolution(const Layer& layer, const Initialisation& options, at::Generator& generator) {
  if (options.convolution_deviation <= 0) return initialise_uniform(layer, generator);
  fill_normal(layer.parameters[0].tensor, 0, options.convolution_deviation, generator);
  if (layer.parameters.size() > 1) layer.parameters[1].tensor.zero_();
}

void initialise_batch_norm(const Layer& layer, const Initialisation& options, at::Generator& generator) {
  if (options.convolution_deviation > 0) {
    fill_normal(layer.parameters[0].tensor, 1, options.convolution_deviation, generator);
  } else {
    layer.parameters[0].tensor.fill_(1);
  }
  layer.parameters[1].tensor.zero_();
  layer.buffers[0].tensor.zero_();
  layer.buffers[1].tensor.fill_(1);
}

}  // namespace

void initialise(Network& network, const Initialisation& options, at::Generator& generator) {
  const at::NoGradGuard no_gradients;
  for (const Layer& layer : network.layers()) {
    if (options.keeps_size && is_product(layer)) {
      initialise_keeping_size(network, layer, generator);
    } else if (std::holds_alternative<Conv2d>(layer.op) ||
               std::holds_alternative<ConvTranspose2d>(layer.op)) {
      initialise_convolution(layer, options, generator);
    } else if (std::holds_alternative<Linear>(layer.op)) {
      initialise_uniform(layer, generator);
    } else if (std::holds_alternative<BatchNorm2d>(layer.op) ||
               std::holds_alternative<BatchNorm1d>(layer.op)) {
      initialise_batch_norm(layer, options, generator);
    }
  }
}

}  // namespace whence::nn
