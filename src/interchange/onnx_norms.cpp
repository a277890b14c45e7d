// Normalisations, and softmax.
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>

#include "interchange/onnx_operators.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

/// One number for each channel.
void require_channels(const OnnxCall& call, std::size_t i, const OnnxSize& channels) {
  if (call.input(i).sizes != OnnxSizes{channels})
    call.problem("has {} numbers as its input {} for {} channels", text_of(call.input(i).sizes), i + 1,
                 channels.count);
}

OnnxSize channels_of(const OnnxCall& call) {
  const OnnxSizes& sizes = call.input(0).sizes;
  if (sizes.size() < 2 || sizes[1].batch) call.problem("normalises a tensor of {}", text_of(sizes));
  return sizes[1];
}

Values batch_normalization(OnnxCall& call) {
  if (call.integer("training_mode", 0) != 0 || (call.opset() < 14 && call.outputs() > 1))
    call.problem("normalises by the statistics of the batch; export the model in evaluation mode");
  const OnnxSize channels = channels_of(call);
  for (std::size_t i = 1; i < 5; ++i) require_channels(call, i, channels);
  const char* const roles[] = {"weight", "bias"};
  for (std::size_t i = 0; i < 2; ++i) call.name_weight(call.input(i + 1), roles[i]);
  const OnnxValue& x = call.input(0);
  return {call.emit("aten::batch_norm",
                    {x, call.input(1), call.input(2), call.input(3), call.input(4), false,
                     1 - call.real("momentum", 0.9), call.real("epsilon", 1e-5), false},
                    x.sizes)};
}

Values instance_normalization(OnnxCall& call) {
  const OnnxSize channels = channels_of(call);
  for (std::size_t i = 1; i < 3; ++i) require_channels(call, i, channels);
  const OnnxValue& x = call.input(0);
  return {call.emit("aten::instance_norm",
                    {x, call.input(1), call.input(2), std::nullopt, std::nullopt, true, 0.1,
                     call.real("epsilon", 1e-5), false},
                    x.sizes)};
}

Values group_normalization(OnnxCall& call) {
  const OnnxSize channels = channels_of(call);
  const std::int64_t groups = call.integer("num_groups", 1);
  if (groups < 1 || channels.count % groups != 0)
    call.problem("has {} groups for {} channels", groups, channels.count);
  OnnxValue scale = call.input(1), bias = call.input(2);
  if (call.opset() < 21) {  // one number for each group
    for (std::size_t i = 1; i < 3; ++i) require_channels(call, i, {groups});
    const std::int64_t each = channels.count / groups;
    call.emitter().spend(2 * channels.count);
    scale = call.constant_of(call.constant(1).repeat_interleave(each));
    bias = call.constant_of(call.constant(2).repeat_interleave(each));
  } else {
    for (std::size_t i = 1; i < 3; ++i) require_channels(call, i, channels);
  }
  const OnnxValue& x = call.input(0);
  return {
      call.emit("aten::group_norm", {x, groups, scale, bias, call.real("epsilon", 1e-5), false}, x.sizes)};
}

/// The sizes from dimension `axis` on.
std::vector<std::int64_t> sizes_from(const OnnxCall& call, std::int64_t axis) {
  const OnnxSizes& sizes = call.input(0).sizes;
  const std::size_t first = dimension_of(axis, sizes.size());
  const auto counts = counts_of(OnnxSizes(sizes.begin() + static_cast<std::ptrdiff_t>(first), sizes.end()));
  if (!counts) call.problem("normalises over the samples, so that each changes the others");
  return *counts;
}

Values layer_normalization(OnnxCall& call) {
  const std::vector<std::int64_t> shape = sizes_from(call, call.integer("axis", -1));
  const auto affine = [&](std::size_t i, const char* role) -> OnnxArgument {
    if (!call.has(i)) return std::nullopt;
    const OnnxValue& value = call.input(i);
    if (value.sizes == fixed_sizes(shape)) {
      call.name_weight(value, role);
      return value;
    }
    if (broadcast(fixed_sizes(shape), value.sizes) != fixed_sizes(shape))
      call.problem("has a {} of {}", role, text_of(value.sizes));
    return call.emit("aten::expand", {value, shape, false}, fixed_sizes(shape));
  };
  const OnnxValue& x = call.input(0);
  return {call.emit("aten::layer_norm",
                    {x, shape, affine(1, "weight"), affine(2, "bias"), call.real("epsilon", 1e-5), false},
                    x.sizes)};
}

/// x / sqrt(mean(x^2) + epsilon), times a scale.
Values rms_normalization(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::size_t first = dimension_of(call.integer("axis", -1), x.rank());
  sizes_from(call, call.integer("axis", -1));
  OnnxSizes ones = x.sizes;
  std::vector<std::int64_t> dimensions;
  for (std::size_t i = first; i < x.rank(); ++i) {
    dimensions.push_back(static_cast<std::int64_t>(i));
    ones[i] = {1};
  }
  const OnnxValue square = call.emit("aten::mul.Tensor", {x, x}, x.sizes);
  const OnnxValue mean = call.emit("aten::mean.dim", {square, dimensions, true}, ones);
  const OnnxValue shifted = call.emit("aten::add.Scalar", {mean, call.real("epsilon", 1e-5)}, ones);
  const OnnxValue factor = call.emit("aten::rsqrt", {shifted}, ones);
  const OnnxValue normal = call.emit("aten::mul.Tensor", {x, factor}, x.sizes);
  return {call.emit("aten::mul.Tensor", {normal, call.input(1)}, broadcast(x.sizes, call.input(1).sizes))};
}

/// x / norm(x) in one dimension.
Values lp_normalization(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::size_t axis = dimension_of(call.integer("axis", -1), x.rank());
  if (x.sizes[axis].batch) call.problem("normalises over the samples, so that each changes the others");
  OnnxSizes one = x.sizes;
  one[axis] = {1};
  const std::vector<std::int64_t> dimension = {static_cast<std::int64_t>(axis)};
  const std::int64_t p = call.integer("p", 2);
  if (p != 1 && p != 2) call.problem("has p {}", p);
  const OnnxValue norm =
      call.emit("aten::linalg_vector_norm", {x, static_cast<double>(p), dimension, true}, one);
  return {call.emit("aten::div.Tensor", {x, norm}, x.sizes)};
}

/// x / (bias + alpha / size * the sum of squares of `size` channels around each)^beta
Values local_response(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const OnnxSize channels = channels_of(call);
  const std::int64_t size = call.integer("size", 1);
  if (size < 1 || size > 2 * channels.count + 1)
    call.problem("has size {} for {} channels", size, channels.count);
  const OnnxValue square = call.emit("aten::mul.Tensor", {x, x}, x.sizes);
  std::vector<std::int64_t> pads(2 * x.rank() - 2, 0);
  pads[pads.size() - 2] = (size - 1) / 2;
  pads[pads.size() - 1] = size - 1 - (size - 1) / 2;
  OnnxSizes wide = x.sizes;
  wide[1].count += size - 1;
  const OnnxValue padded = call.emit("aten::constant_pad_nd", {square, pads, 0.0}, wide);
  OnnxSizes windows = x.sizes;
  windows.push_back({size});
  const OnnxValue around = call.emit("aten::unfold", {padded, 1, size, 1}, windows);
  const OnnxValue mean = call.emit("aten::mean.dim", {around, std::vector<std::int64_t>{-1}, false}, x.sizes);
  const OnnxValue scaled = call.emit("aten::mul.Scalar", {mean, call.real("alpha", 1e-4)}, x.sizes);
  const OnnxValue shifted = call.emit("aten::add.Scalar", {scaled, call.real("bias", 1)}, x.sizes);
  const OnnxValue divisor = call.emit("aten::pow.Tensor_Scalar", {shifted, call.real("beta", 0.75)}, x.sizes);
  return {call.emit("aten::div.Tensor", {x, divisor}, x.sizes)};
}

/// From opset 13 on over one dimension; before over all from `axis` on.
Values soft(OnnxCall& call, const char* name) {
  const OnnxValue& x = call.input(0);
  const bool flattens = call.opset() < 13;
  const std::size_t axis = dimension_of(call.integer("axis", flattens ? 1 : -1), x.rank());
  std::size_t last = axis;
  while (flattens && last + 1 < x.rank() && x.sizes[last + 1] == OnnxSize{1})
    ++last;  // as if it were one dimension
  if (!flattens || last + 1 == x.rank()) {
    if (x.sizes[axis].batch) call.problem("compares the samples of a batch");
    return {call.emit(name, {x, static_cast<std::int64_t>(axis), std::nullopt}, x.sizes)};
  }
  const std::vector<std::int64_t> rest = sizes_from(call, static_cast<std::int64_t>(axis));
  OnnxSizes flat(x.sizes.begin(), x.sizes.begin() + static_cast<std::ptrdiff_t>(axis));
  flat.push_back(elements_of(fixed_sizes(rest)));
  std::vector<std::int64_t> back;
  for (const OnnxSize& size : x.sizes) back.push_back(size.batch ? -1 : size.count);
  const OnnxValue rows =
      call.emit("aten::flatten.using_ints", {x, static_cast<std::int64_t>(axis), -1}, flat);
  return {call.emit("aten::reshape", {call.emit(name, {rows, -1, std::nullopt}, flat), back}, x.sizes)};
}
Values softmax(OnnxCall& call) { return soft(call, "aten::softmax.int"); }
Values log_softmax(OnnxCall& call) { return soft(call, "aten::log_softmax.int"); }

constexpr OnnxEntry kNorms[] = {
    {"BatchNormalization", batch_normalization},
    {"InstanceNormalization", instance_normalization},
    {"GroupNormalization", group_normalization},
    {"LayerNormalization", layer_normalization},
    {"RMSNormalization", rms_normalization},
    {"LpNormalization", lp_normalization},
    {"LRN", local_response},
    {"Softmax", softmax},
    {"LogSoftmax", log_softmax},
};

}  // namespace

std::span<const OnnxEntry> onnx_norms() { return kNorms; }

}  // namespace whence::interchange
