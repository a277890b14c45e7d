// The operations a Network knows. Each is plain data; shapes are those of one sample, without the batch dimension.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace whence::nn {

/// One sample's shape, e.g. {1, 28, 28} or {6}.
using Shape = std::vector<std::int64_t>;

struct Input {};
struct Conv2d {
  std::int64_t channels, kernel, stride = 1, padding = 0;
  bool bias = true;
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
struct Softmax {};     ///< over the first dimension of a sample (the classes)
struct LogSoftmax {};  ///< over the first dimension of a sample (the classes)
struct MaxPool2d {
  std::int64_t kernel, stride, padding = 0;
};
struct AvgPool2d {
  std::int64_t kernel, stride, padding = 0;
};
struct GlobalAvgPool2d {};  ///< (C, H, W) -> (C, 1, 1)
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
struct ZeroPad2d {
  std::int64_t left, right, top, bottom;
};
/// Every pixel becomes factor x factor equal ones.
struct UpsampleNearest2d {
  std::int64_t factor = 2;
};
struct Add {};     ///< sum of all inputs, of one shape
struct Concat {};  ///< along the first dimension of a sample (channels)

using Op = std::variant<Input, Conv2d, ConvTranspose2d, Linear, BatchNorm2d, BatchNorm1d, ScaleShift, Relu,
                        LeakyRelu, Sigmoid, Tanh, Softmax, LogSoftmax, MaxPool2d, AvgPool2d, GlobalAvgPool2d,
                        Dropout, Dropout2d, Flatten, Reshape, ZeroPad2d, UpsampleNearest2d, Add, Concat>;

/// "Conv2d", "Relu", ...
std::string_view name_of(const Op& op);
/// The names of all operations.
std::vector<std::string_view> operation_names();

}  // namespace whence::nn
