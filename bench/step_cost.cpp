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
  for (const nn::Layer& layer : network.layers()) {
    const bool first = !layer.inputs.empty() && layer.inputs[0] == 0;
    const bool of_weights = gradients != Gradients::of_input;
    const bool of_input = !first || gradients != Gradients::of_weights;
    sum += operations(network, layer) * (1 + (of_weights ? 1 : 0) + (of_input ? 1 : 0));
  }
  return sum;
}

double peak_rate(const std::vector<nn::Network>& networks, std::int64_t batch, Precision precision) {
  const at::NoGradGuard no_gradients;
  Generator generator = make_generator(0, "bench/peak");
  double fastest = 0;
  for (const nn::Network& network : networks) {
    for (const nn::Layer& layer : network.layers()) {
      if (!is_convolution(layer.op)) continue;
      const nn::Shape& input = network.layers()[layer.inputs[0]].shape;
      nn::Network alone("alone", input);
      alone.add("layer", layer.op);
      nn::initialise(alone, {}, generator);
      const at::Tensor x = at::rand({batch, input[0], input[1], input[2]}, generator)
                               .contiguous(at::MemoryFormat::ChannelsLast);
      const double work = static_cast<double>(batch) * operations(network, layer);
      fastest = std::max(fastest, work / best_seconds(alone.frozen(precision), x, precision));
    }
  }
  return fastest;
}

}  // namespace whence::bench
