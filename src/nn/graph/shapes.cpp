#include "nn/graph/shapes.h"

#include <fmt/ranges.h>

#include <numeric>

#include "whence/core/error.h"

namespace whence::nn {
namespace {

/// Infers the output's shape; one overload an operation.
struct Inference {
  const std::vector<Shape>& inputs;
  const std::string& place;

  const Shape& input() const { return inputs.front(); }

  template <class... Args>
  void require(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition) fail("{}: {}", place, fmt::format(format, std::forward<Args>(args)...));
  }

  void require_image() const {
    require(input().size() == 3, "needs an input of shape channels x height x width, not {}",
            text_of(input()));
  }

  /// Height or width behind a sliding window.
  std::int64_t slide(std::size_t dimension, std::int64_t kernel, std::int64_t stride,
                     std::int64_t padding) const {
    const std::int64_t size = input()[dimension];
    require(size + 2 * padding >= kernel, "kernel {} does not fit into {}x{} input{}", kernel, input()[1],
            input()[2], padding > 0 ? fmt::format(" padded by {}", padding) : "");
    return (size + 2 * padding - kernel) / stride + 1;
  }

  void require_window(std::int64_t kernel, std::int64_t stride, std::int64_t padding) const {
    require(kernel >= 1 && stride >= 1 && padding >= 0,
            "kernel and stride must be at least 1 and padding at least 0, not {}, {} and {}", kernel, stride,
            padding);
  }

  Shape pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding) const {
    require_image();
    require_window(kernel, stride, padding);
    require(2 * padding <= kernel, "padding {} is more than half of kernel {}", padding, kernel);
    return {input()[0], slide(1, kernel, stride, padding), slide(2, kernel, stride, padding)};
  }

  Shape drop(double probability) const {
    require(probability >= 0 && probability <= 1, "the probability of dropping must be in [0, 1], not {}",
            probability);
    return input();
  }

  Shape operator()(const Input&) const { fail("{}: only the first layer is an input", place); }

  Shape operator()(const Conv2d& op) const {
    require_image();
    require(op.channels >= 1, "needs at least 1 channel, not {}", op.channels);
    require_window(op.kernel, op.stride, op.padding);
    return {op.channels, slide(1, op.kernel, op.stride, op.padding),
            slide(2, op.kernel, op.stride, op.padding)};
  }

  Shape operator()(const ConvTranspose2d& op) const {
    require_image();
    require(op.channels >= 1, "needs at least 1 channel, not {}", op.channels);
    require_window(op.kernel, op.stride, op.padding);
    require(op.output_padding >= 0 && op.output_padding < op.stride,
            "output padding must be less than the stride {}, not {}", op.stride, op.output_padding);
    Shape output = {op.channels, 0, 0};
    for (const std::size_t d : {1, 2}) {
      output[d] = (input()[d] - 1) * op.stride - 2 * op.padding + op.kernel + op.output_padding;
    }
    require(output[1] >= 1 && output[2] >= 1, "padding {} leaves nothing of the output of a {}x{} input",
            op.padding, input()[1], input()[2]);
    return output;
  }

  Shape operator()(const Linear& op) const {
    require(op.features >= 1, "needs at least 1 output feature, not {}", op.features);
    Shape output = input();
    output.back() = op.features;
    return output;
  }

  Shape normalise(double epsilon, double momentum) const {
    require(epsilon >= 0 && momentum >= 0 && momentum <= 1,
            "epsilon must be at least 0 and momentum in [0, 1], not {} and {}", epsilon, momentum);
    return input();
  }

  Shape operator()(const BatchNorm2d& op) const {
    require_image();
    return normalise(op.epsilon, op.momentum);
  }
  Shape operator()(const BatchNorm1d& op) const {
    require(input().size() == 1, "needs an input of features without height and width, not {}",
            text_of(input()));
    return normalise(op.epsilon, op.momentum);
  }

  Shape operator()(const MaxPool2d& op) const { return pool(op.kernel, op.stride, op.padding); }
  Shape operator()(const AvgPool2d& op) const { return pool(op.kernel, op.stride, op.padding); }
  Shape operator()(const GlobalAvgPool2d&) const {
    require_image();
    return {input()[0], 1, 1};
  }
  Shape operator()(const Dropout& op) const { return drop(op.probability); }
  Shape operator()(const Dropout2d& op) const {
    require_image();
    return drop(op.probability);
  }
  Shape operator()(const Flatten&) const { return {elements(input())}; }

  Shape operator()(const Reshape& op) const {
    const bool positive =
        std::all_of(op.shape.begin(), op.shape.end(), [](std::int64_t size) { return size >= 1; });
    require(!op.shape.empty() && positive && elements(op.shape) == elements(input()),
            "cannot reshape {} ({} elements) to {}", text_of(input()), elements(input()), text_of(op.shape));
    return op.shape;
  }

  Shape operator()(const ZeroPad2d& op) const {
    require_image();
    require(std::min({op.left, op.right, op.top, op.bottom}) >= 0,
            "padding must be at least 0, not {}, {}, {} and {}", op.left, op.right, op.top, op.bottom);
    return {input()[0], input()[1] + op.top + op.bottom, input()[2] + op.left + op.right};
  }

  Shape operator()(const UpsampleNearest2d& op) const {
    require_image();
    require(op.factor >= 1, "the factor must be at least 1, not {}", op.factor);
    return {input()[0], input()[1] * op.factor, input()[2] * op.factor};
  }

  Shape operator()(const Add&) const {
    for (const Shape& other : inputs) {
      require(other == input(), "inputs must have one shape, not {} and {}", text_of(input()),
              text_of(other));
    }
    return input();
  }

  Shape operator()(const Concat&) const {
    Shape output = input();
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const bool fits = inputs[i].size() == output.size() &&
                        std::equal(output.begin() + 1, output.end(), inputs[i].begin() + 1);
      require(fits, "inputs must agree in all but the first dimension, not {} and {}", text_of(input()),
              text_of(inputs[i]));
      output[0] += inputs[i][0];
    }
    return output;
  }

  /// Element-wise operations.
  template <class Any>
  Shape operator()(const Any&) const {
    return input();
  }
};

bool normalises(const Op& op) {
  return std::holds_alternative<BatchNorm2d>(op) || std::holds_alternative<BatchNorm1d>(op);
}

at::Tensor channels_last(at::IntArrayRef sizes) {
  return at::empty(sizes, at::kFloat, at::MemoryFormat::ChannelsLast).zero_();
}

NamedTensors with_bias(at::Tensor weight, bool bias, std::int64_t outputs) {
  NamedTensors parameters = {{"weight", std::move(weight)}};
  if (bias) parameters.push_back({"bias", at::zeros({outputs})});
  return parameters;
}

}  // namespace

std::int64_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::string text_of(at::IntArrayRef shape) {
  return shape.empty() ? "nothing" : fmt::format("{}", fmt::join(shape, "x"));
}

Shape infer_shape(const Op& op, const std::vector<Shape>& inputs, const std::string& place) {
  const bool joins = std::holds_alternative<Add>(op) || std::holds_alternative<Concat>(op);
  if (joins ? inputs.size() < 2 : inputs.size() != 1) {
    fail("{}: takes {}, not {}", place, joins ? "two inputs or more" : "one input", inputs.size());
  }
  return std::visit(Inference{inputs, place}, op);
}

NamedTensors make_parameters(const Op& op, const Shape& input) {
  if (const auto* conv = std::get_if<Conv2d>(&op)) {
    return with_bias(channels_last({conv->channels, input[0], conv->kernel, conv->kernel}), conv->bias,
                     conv->channels);
  }
  if (const auto* conv = std::get_if<ConvTranspose2d>(&op)) {
    return with_bias(channels_last({input[0], conv->channels, conv->kernel, conv->kernel}), conv->bias,
                     conv->channels);
  }
  if (const auto* linear = std::get_if<Linear>(&op)) {
    return with_bias(at::zeros({linear->features, input.back()}), linear->bias, linear->features);
  }
  if (normalises(op)) return with_bias(at::ones({input[0]}), true, input[0]);
  return {};
}

NamedTensors make_buffers(const Op& op, const Shape& input) {
  if (std::holds_alternative<ScaleShift>(op)) {
    Shape by_channel(input.size(), 1);
    by_channel[0] = input[0];
    return {{"scale", at::ones(by_channel)}, {"shift", at::zeros(by_channel)}};
  }
  if (!normalises(op)) return {};
  return {{"running_mean", at::zeros({input[0]})}, {"running_var", at::ones({input[0]})}};
}

}  // namespace whence::nn
