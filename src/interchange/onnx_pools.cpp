// Pools: the largest or the average of windows, or of whole images.
#include <ATen/ops/ones.h>

#include <limits>

#include "interchange/onnx_operators.h"
#include "interchange/onnx_window.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

bool fits_half(const OnnxWindow& window) {  // what ATen asks of a pool's padding
  for (std::size_t i = 0; i < window.dimensions(); ++i)
    if (window.begin[i] > window.kernel[i] / 2) return false;
  return window.is_even();
}

std::string pool_name(const char* kind, const OnnxWindow& window) {
  return fmt::format("aten::{}_pool{}d", kind, window.dimensions());
}

Values max_pool_onnx(OnnxCall& call) {
  OnnxValue x = call.input(0);
  const OnnxWindow window = window_of(call, call.integers("kernel_shape"), x.sizes);
  const OnnxSizes sizes = result_sizes(window, x.sizes, x.sizes[1].count);
  std::vector<std::int64_t> padding = window.begin;
  if (!fits_half(window)) {
    x = padded_with(call, x, window.begin, window.end, -std::numeric_limits<double>::infinity());
    padding.assign(window.dimensions(), 0);
  }
  return {call.emit(pool_name("max", window),
                    {x, window.kernel, window.strides, padding, window.dilations, window.ceil}, sizes)};
}

/// Padding that is not counted: the sums of the windows, each divided by how many pixels of the image it has.
Values average_of_pixels(OnnxCall& call, const OnnxWindow& window, const OnnxSizes& sizes) {
  const OnnxValue& x = call.input(0);
  const std::vector<std::int64_t> none(window.dimensions(), 0);
  std::vector<std::int64_t> one = {1, 1};
  OnnxSizes one_result = sizes;
  one_result[0] = one_result[1] = {1};
  for (std::size_t i = 2; i < x.rank(); ++i) one.push_back(x.sizes[i].count);
  const OnnxValue ones =
      call.emit("aten::expand", {call.constant_of(at::ones({1})), one, false}, fixed_sizes(one));
  const auto averages = [&](const OnnxValue& image, const OnnxSizes& result) {
    const OnnxValue padded = padded_with(call, image, window.begin, window.end, 0);
    return call.emit(pool_name("avg", window),
                     {padded, window.kernel, window.strides, none, window.ceil, true}, result);
  };
  const OnnxValue parts = averages(ones, one_result);
  return {call.emit("aten::div.Tensor", {averages(x, sizes), parts}, sizes)};
}

Values average_pool(OnnxCall& call) {
  OnnxValue x = call.input(0);
  const OnnxWindow window = window_of(call, call.integers("kernel_shape"), x.sizes);
  for (const std::int64_t dilation : window.dilations)
    if (dilation != 1) call.problem("has dilation {}, which whence does not read", dilation);
  const OnnxSizes sizes = result_sizes(window, x.sizes, x.sizes[1].count);
  const bool counted = call.integer("count_include_pad", 0) != 0;
  std::vector<std::int64_t> padding = window.begin;
  if (!fits_half(window)) {
    if (!counted) return average_of_pixels(call, window, sizes);
    x = padded_with(call, x, window.begin, window.end, 0);
    padding.assign(window.dimensions(), 0);
  }
  const bool include = counted || !window.is_padded();
  return {call.emit(pool_name("avg", window),
                    {x, window.kernel, window.strides, padding, window.ceil, include}, sizes)};
}

OnnxSizes one_pixel(const OnnxCall& call) {
  OnnxSizes sizes = call.input(0).sizes;
  if (sizes.size() < 3 || sizes.size() > 5) call.problem("takes the pool of a tensor of {}", text_of(sizes));
  for (std::size_t i = 2; i < sizes.size(); ++i) sizes[i] = {1};
  return sizes;
}

Values global_average(OnnxCall& call) {
  const OnnxSizes sizes = one_pixel(call);
  const std::vector<std::int64_t> ones(sizes.size() - 2, 1);
  return {call.emit(fmt::format("aten::adaptive_avg_pool{}d", ones.size()), {call.input(0), ones}, sizes)};
}

Values global_largest(OnnxCall& call) {
  const OnnxSizes sizes = one_pixel(call);
  std::vector<std::int64_t> dimensions;
  for (std::size_t i = 2; i < sizes.size(); ++i) dimensions.push_back(static_cast<std::int64_t>(i));
  return {call.emit("aten::amax", {call.input(0), dimensions, true}, sizes)};
}

constexpr OnnxEntry kPools[] = {
    {"MaxPool", max_pool_onnx},
    {"AveragePool", average_pool},
    {"GlobalAveragePool", global_average},
    {"GlobalMaxPool", global_largest},
};

}  // namespace

std::span<const OnnxEntry> onnx_pools() { return kPools; }

}  // namespace whence::interchange
