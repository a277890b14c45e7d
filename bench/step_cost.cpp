#include "step_cost.h"

#include <chrono>
#include <limits>

#include "whence/core/random.h"

namespace whence::bench {
namespace {

bool is_convolution(const nn::Op& op) {
  return std::holds_alternative<nn::Conv2d>(op) || std::holds_alternative<nn::ConvTranspose2d>(op);
}

/// Forward; either gradient costs the same.
double operations(const nn::Network& network, const nn::Layer& layer) {
  if (layer.parameters.empty() || layer.parameters[0].tensor.dim() < 2) return 0;
  const double weights = static_cast<double>(layer.parameters[0].tensor.numel());
  if (!is_convolution(layer.op)) return 2 * weights;
  // Every weight meets every pixel of the smaller of the two images.
  const nn::Shape& input = network.layers()[layer.inputs[0]].shape;
  const nn::Shape& image = std::holds_alternative<nn::Conv2d>(layer.op) ? layer.shape : input;
  return 2 * weights * static_cast<double>(image[1] * image[2]);
}

/// Products of a layer's size in a step: forward, and one for each gradient. The first layer's input needs none where
/// only weights are trained.
int passes(const nn::Layer& layer, Gradients gradients) {
  const bool first = !layer.inputs.empty() && layer.inputs[0] == 0;
  const bool of_weights = gradients != Gradients::of_input;
  const bool of_input = !first || gradients != Gradients::of_weights;
  return 1 + (of_weights ? 1 : 0) + (of_input ? 1 : 0);
}

double best_seconds(const nn::Network& network, const at::Tensor& x, Precision precision) {
  constexpr int repetitions = 15;
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    network.forward(x, {.precision = precision});
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

double step_operations(const nn::Network& network, Gradients gradients) {
  double sum = 0;
  for (const nn::Layer& layer : network.layers())
    sum += operations(network, layer) * passes(layer, gradients);
  return sum;
}

std::vector<double> layer_rates(const nn::Network& network, std::int64_t batch, Precision precision) {
  const at::NoGradGuard no_gradients;
  Generator generator = make_generator(0, "bench/peak");
  std::vector<double> rates;
  for (const nn::Layer& layer : network.layers()) {
    const double work = static_cast<double>(batch) * operations(network, layer);
    if (work == 0) {
      rates.push_back(0);
      continue;
    }
    nn::Network alone("alone", network.layers()[layer.inputs[0]].shape);
    alone.add("layer", layer.op);
    if (!is_convolution(layer.op))
      alone.add("next", nn::Linear{1});  // a last linear layer is always in float32
    nn::initialise(alone, {}, generator);
    nn::Shape sizes = alone.input_shape();
    sizes.insert(sizes.begin(), batch);
    at::Tensor x = at::rand(sizes, generator);
    if (x.dim() == 4) x = x.contiguous(at::MemoryFormat::ChannelsLast);
    rates.push_back(work / best_seconds(alone.frozen(precision), x, precision));
  }
  return rates;
}

double least_seconds(const nn::Network& network, Gradients gradients, const std::vector<double>& rates) {
  double sum = 0;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const nn::Layer& layer = network.layers()[i];
    if (rates[i] > 0) sum += operations(network, layer) * passes(layer, gradients) / rates[i];
  }
  return sum;
}

}  // namespace whence::bench
