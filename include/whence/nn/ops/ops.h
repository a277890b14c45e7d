// The operations a Network knows. Each is plain data; shapes are those of one sample, without the batch dimension.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace whence::nn {

/// One sample's shape, e.g. {1, 28, 28} or {6}.
using Shape = std::vector<std::int64_t>;

/// Rows and columns; one number stands for both.
struct Extent {
  std::int64_t height = 0, width = 0;
  constexpr Extent() = default;
  constexpr Extent(std::int64_t both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor)
  constexpr Extent(std::int64_t rows, std::int64_t columns) : height(rows), width(columns) {}
  constexpr bool square() const { return height == width; }
  constexpr std::array<std::int64_t, 2> sizes() const { return {height, width}; }
  friend constexpr bool operator==(const Extent&, const Extent&) = default;
};

struct Input {};
/// Input and output channels fall into `groups` equal groups, each convolved by itself.
struct Conv2d {
  std::int64_t channels;
  Extent kernel, stride = 1, padding = 0;
  bool bias = true;
  std::int64_t groups = 1;
  Extent dilation = 1;
};
struct ConvTranspose2d {
  std::int64_t channels, kernel, stride = 1, padding = 0, output_padding = 0;
  bool bias = true;
};
/// Acts on the last dimension, as PyTorch's does.
struct Linear {
  std::int64_t features;
  bool bias = true;
};
struct BatchNorm2d {
  double epsilon = 1e-5, momentum = 0.1;
};
/// Of features without height and width, (C).
struct BatchNorm1d {
  double epsilon = 1e-5, momentum = 0.1;
};
/// scale[c] * x + shift[c] in channel c (or feature), constants that nothing trains: how a module normalises its images.
struct ScaleShift {};
struct Relu {};
struct LeakyRelu {
  double slope = 0.01;
};
struct Sigmoid {};
struct Tanh {};
/// min(max(x, low), high); ReLU6 with 0 and 6.
struct Hardtanh {
  double low = -1, high = 1;
};
struct Hardsigmoid {};  ///< min(max(x + 3, 0), 6) / 6 (Howard et al. 2019)
struct Hardswish {};    ///< x * hardsigmoid(x) (Howard et al. 2019)
struct Silu {};         ///< x * sigmoid(x) (Elfwing et al. 2018)
/// x * Phi(x) with the normal distribution function Phi (Hendrycks and Gimpel 2016), or its approximation by tanh.
struct Gelu {
  bool tanh = false;
};
struct Softmax {};     ///< over the first dimension of a sample (the classes)
struct LogSoftmax {};  ///< over the first dimension of a sample (the classes)
/// `ceil`: windows at the lower and right edge may hang over it.
struct MaxPool2d {
  std::int64_t kernel, stride, padding = 0;
  bool ceil = false;
};
struct AvgPool2d {
  std::int64_t kernel, stride, padding = 0;
  bool ceil = false, counts_padding = true;
};
/// Means of windows that divide the image into height x width as evenly as whole pixels allow, overlapping where they must.
struct AdaptiveAvgPool2d {
  std::int64_t height, width;
};
struct GlobalAvgPool2d {};  ///< (C, H, W) -> (C, 1, 1)
/// Over the last dimension of a sample: (x - mean) / sqrt(variance + epsilon) * weight + bias (Ba et al. 2016).
struct LayerNorm {
  double epsilon = 1e-5;
};
struct Dropout {
  double probability = 0.5;
};
struct Dropout2d {  ///< drops whole channels
  double probability = 0.5;
};
struct Flatten {};
struct Reshape {
  Shape shape;
};
/// The sample's dimension i is the input's dimension order[i].
struct Permute {
  Shape order;
};
/// `length` channels (values of the first dimension of a sample) from `start` on.
struct Slice {
  std::int64_t start, length;
};
struct ZeroPad2d {
  std::int64_t left, right, top, bottom;
};
/// Every pixel becomes factor x factor equal ones.
struct UpsampleNearest2d {
  std::int64_t factor = 2;
};
struct Add {};  ///< sum of all inputs, of one shape
/// First input times second: a signal and its gate, of the signal's shape or one number for each channel (C, 1, 1). Relevance goes to
/// the signal, and none to the gate (Arras et al. 2017).
struct Gate {};
struct Concat {};  ///< along the first dimension of a sample (channels)

using Op =
    std::variant<Input, Conv2d, ConvTranspose2d, Linear, BatchNorm2d, BatchNorm1d, ScaleShift, Relu,
                 LeakyRelu, Sigmoid, Tanh, Hardtanh, Hardsigmoid, Hardswish, Silu, Gelu, Softmax, LogSoftmax,
                 MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, GlobalAvgPool2d, LayerNorm, Dropout, Dropout2d,
                 Flatten, Reshape, Permute, Slice, ZeroPad2d, UpsampleNearest2d, Add, Gate, Concat>;

/// "Conv2d", "Relu", ...
std::string_view name_of(const Op& op);
/// The names of all operations.
std::vector<std::string_view> operation_names();

}  // namespace whence::nn
