#include "nn/graph/relevance.h"

#include "nn/graph/execute.h"

namespace whence::nn {
namespace {

at::Tensor plain(const at::Tensor& tensor, const at::Tensor& x) {
  return tensor.detach().to(x.scalar_type());
}

/// (C) -> (1, C, 1, ...), to be broadcast over x.
at::Tensor by_channel(const at::Tensor& tensor, const at::Tensor& x) {
  Shape sizes(static_cast<std::size_t>(x.dim()), 1);
  sizes[1] = tensor.numel();
  return tensor.reshape(sizes);
}

template <class... Ops>
bool is_one_of(const Op& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

bool scales(const Op& op) { return is_one_of<BatchNorm2d, BatchNorm1d, ScaleShift>(op); }

/// A batch normalisation as weight * x + bias.
LinearTensors normalisation_tensors(const Layer& layer, double epsilon, const at::Tensor& x) {
  const at::Tensor weight = plain(layer.parameters[0].tensor, x), bias = plain(layer.parameters[1].tensor, x);
  const at::Tensor mean = plain(layer.buffers[0].tensor, x), variance = plain(layer.buffers[1].tensor, x);
  const at::Tensor scale = weight / (variance + epsilon).sqrt();
  return {by_channel(scale, x), by_channel(bias - mean * scale, x)};
}

}  // namespace

Passage passage_of(const Op& op) {
  if (is_one_of<Conv2d, ConvTranspose2d, Linear, AvgPool2d, GlobalAvgPool2d, Add>(op)) return Passage::adds;
  if (scales(op)) return Passage::scales;
  if (is_one_of<Relu, LeakyRelu, Sigmoid, Tanh>(op)) return Passage::activates;
  if (is_one_of<Softmax, LogSoftmax>(op)) return Passage::normalises;
  return Passage::copies;
}

LinearTensors linear_tensors(const Layer& layer, const at::Tensor& x) {
  if (const auto* op = std::get_if<BatchNorm2d>(&layer.op))
    return normalisation_tensors(layer, op->epsilon, x);
  if (const auto* op = std::get_if<BatchNorm1d>(&layer.op))
    return normalisation_tensors(layer, op->epsilon, x);
  if (std::holds_alternative<ScaleShift>(layer.op))
    return {plain(layer.buffers[0].tensor, x), plain(layer.buffers[1].tensor, x)};
  LinearTensors tensors;
  if (!layer.parameters.empty()) tensors.weight = plain(layer.parameters[0].tensor, x);
  if (layer.parameters.size() > 1) tensors.bias = plain(layer.parameters[1].tensor, x);
  return tensors;
}

at::Tensor linear_forward(const Layer& layer, const std::vector<at::Tensor>& inputs,
                          const LinearTensors& tensors) {
  const at::Tensor& x = inputs.front();
  if (scales(layer.op))
    return tensors.bias.defined() ? x * tensors.weight + tensors.bias : x * tensors.weight;
  Layer other = layer;
  other.parameters.clear();
  if (tensors.weight.defined()) other.parameters.push_back({"weight", tensors.weight});
  if (tensors.bias.defined()) other.parameters.push_back({"bias", tensors.bias});
  return execute(other, inputs, {}, /*last=*/true);
}

}  // namespace whence::nn
