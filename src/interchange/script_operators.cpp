#include "interchange/script_operators.h"

#include <fmt/ranges.h>

#include "interchange/script_arithmetic.h"
#include "interchange/script_columns.h"
#include "interchange/script_rearrangement.h"
#include "nn/graph/shapes.h"

namespace whence::nn {
namespace {

NamedTensors weight_and_bias(const OperatorCall& call) {
  NamedTensors values = {{"weight", call.tensor("weight")}};
  if (!call.is_none("bias")) values.push_back({"bias", call.tensor("bias")});
  return values;
}

/// Numbers, or "valid" and, where it is as large on both sides, "same".
Extent padding_of(const OperatorCall& call, const at::Tensor& weight) {
  if (!call.is_text("padding")) return call.extent("padding");
  if (call.text("padding") == "valid") return 0;
  const Extent dilation = call.extent("dilation");
  const Extent both = {dilation.height * (weight.size(2) - 1), dilation.width * (weight.size(3) - 1)};
  call.require(both.height % 2 == 0 && both.width % 2 == 0, "padding that differs on both sides");
  return {both.height / 2, both.width / 2};
}

void require_channels(const OperatorCall& call, const Shape& shape, std::int64_t channels) {
  call.require(shape.size() != 3 || shape[0] == channels, "weights for {} channels behind {}", channels,
               shape[0]);
}

LayerId convolution(OperatorCall& call) {
  const LayerId input = call.layer("input");
  const NamedTensors values = weight_and_bias(call);
  const at::Tensor& weight = values.front().tensor;
  call.require(weight.dim() == 4, "a {}-dimensional weight, not an image convolution's", weight.dim());
  const std::int64_t groups = call.integer("groups");
  require_channels(call, call.network().shape(input), weight.size(1) * groups);
  return call.network().add(Conv2d{.channels = weight.size(0),
                                   .kernel = {weight.size(2), weight.size(3)},
                                   .stride = call.extent("stride"),
                                   .padding = padding_of(call, weight),
                                   .bias = values.size() == 2,
                                   .groups = groups,
                                   .dilation = call.extent("dilation")},
                            {input}, values);
}

LayerId transposed_convolution(OperatorCall& call) {
  const LayerId input = call.layer("input");
  const NamedTensors values = weight_and_bias(call);
  const at::Tensor& weight = values.front().tensor;
  call.require(weight.dim() == 4, "a {}-dimensional weight, not an image convolution's", weight.dim());
  call.require(weight.size(2) == weight.size(3), "a kernel of {}x{}, which is not square", weight.size(2),
               weight.size(3));
  call.require(call.integer("groups") == 1, "{} groups", call.integer("groups"));
  call.require(call.square("dilation") == 1, "dilation {}", call.square("dilation"));
  require_channels(call, call.network().shape(input), weight.size(0));
  return call.network().add(
      ConvTranspose2d{weight.size(1), weight.size(2), call.square("stride"), call.square("padding"),
                      call.square("output_padding"), values.size() == 2},
      {input}, values);
}

LayerId any_convolution(OperatorCall& call) {
  return call.boolean("transposed") ? transposed_convolution(call) : convolution(call);
}

/// A weight that does not fit is known here, not when the network is built: ScriptModule::input_shape tries many shapes.
void require_inputs(const OperatorCall& call, const Shape& shape, std::int64_t wanted) {
  call.require(shape.back() == wanted, "weights for {} inputs behind {}", wanted, shape.back());
}

LayerId linear(OperatorCall& call) {
  const LayerId input = call.layer("input");
  const NamedTensors values = weight_and_bias(call);
  require_inputs(call, call.network().shape(input), values[0].tensor.size(1));
  return call.network().add(Linear{values[0].tensor.size(0), values.size() == 2}, {input}, values);
}

LayerId add_product(OperatorCall& call, LayerId input, const at::Tensor& matrix) {
  call.require(matrix.dim() == 2, "a factor of {} dimensions, not a matrix", matrix.dim());
  require_inputs(call, call.network().shape(input), matrix.size(0));
  return call.network().add(Linear{matrix.size(1), false}, {input}, {{"weight", matrix.t()}});
}

LayerId matmul(OperatorCall& call) { return add_product(call, call.layer("self"), call.tensor("other")); }
LayerId mm(OperatorCall& call) { return add_product(call, call.layer("self"), call.tensor("mat2")); }

LayerId addmm(OperatorCall& call) {
  call.require(call.number("alpha") == 1 && call.number("beta") == 1, "factors (alpha, beta) other than 1");
  const LayerId product = add_product(call, call.layer("mat1"), call.tensor("mat2"));
  call.network().add_bias(product, call.tensor("self"));
  return product;
}

LayerId layer_norm(OperatorCall& call) {
  const LayerId input = call.layer("input");
  call.require(call.integers("normalized_shape") == Shape{call.network().shape(input).back()},
               "other dimensions than the last");
  NamedTensors values;
  for (const char* name : {"weight", "bias"}) {
    if (!call.is_none(name)) values.push_back({name, call.tensor(name)});
  }
  return call.network().add(LayerNorm{call.number("eps")}, {input}, values);
}

LayerId batch_norm(OperatorCall& call) {
  call.require(!call.boolean("training"), "statistics of the batch instead of running ones");
  NamedTensors values;
  for (const char* name : {"weight", "bias"}) {
    if (!call.is_none(name)) values.push_back({name, call.tensor(name)});
  }
  values.push_back({"running_mean", call.tensor("running_mean")});
  values.push_back({"running_var", call.tensor("running_var")});
  const LayerId input = call.layer("input");
  const double epsilon = call.number("eps"), momentum = call.number("momentum");
  const bool image = call.network().shape(input).size() == 3;
  const Op op = image ? Op(BatchNorm2d{epsilon, momentum}) : Op(BatchNorm1d{epsilon, momentum});
  return call.network().add(op, {input}, values);
}

template <class Op>
LayerId elementwise(OperatorCall& call) {
  return call.network().add(Op{}, {call.layer("self")});
}

LayerId leaky_relu(OperatorCall& call) {
  return call.network().add(LeakyRelu{call.number("negative_slope")}, {call.layer("self")});
}

LayerId bounded(OperatorCall& call, const char* low, const char* high) {
  call.require(!call.is_none(low) && !call.is_none(high), "one bound only");
  return call.network().add(Hardtanh{call.number(low), call.number(high)}, {call.layer("self")});
}
LayerId hardtanh(OperatorCall& call) { return bounded(call, "min_val", "max_val"); }
LayerId clamp(OperatorCall& call) { return bounded(call, "min", "max"); }
LayerId relu6(OperatorCall& call) { return call.network().add(Hardtanh{0, 6}, {call.layer("self")}); }

LayerId gelu(OperatorCall& call) {
  return call.network().add(Gelu{call.text("approximate") == "tanh"}, {call.layer("self")});
}

template <class Op>
LayerId over_classes(OperatorCall& call) {
  const LayerId input = call.layer("self");
  call.require(call.dimension("dim", input) == 1, "dimension {} instead of 1", call.dimension("dim", input));
  return call.network().add(Op{}, {input});
}

/// PyTorch's default stride is the kernel.
std::int64_t pool_stride(const OperatorCall& call) {
  return call.integers("stride").empty() ? call.square("kernel_size") : call.square("stride");
}

LayerId max_pool(OperatorCall& call) {
  call.require(call.square("dilation") == 1, "dilation {}", call.square("dilation"));
  return call.network().add(MaxPool2d{call.square("kernel_size"), pool_stride(call), call.square("padding"),
                                      call.boolean("ceil_mode")},
                            {call.layer("self")});
}

LayerId avg_pool(OperatorCall& call) {
  call.require(call.is_none("divisor_override"), "a divisor of its own");
  return call.network().add(AvgPool2d{call.square("kernel_size"), pool_stride(call), call.square("padding"),
                                      call.boolean("ceil_mode"), call.boolean("count_include_pad")},
                            {call.layer("self")});
}

LayerId adaptive_avg_pool(OperatorCall& call) {
  const LayerId input = call.layer("self");
  const Shape& shape = call.network().shape(input);
  const std::vector<std::int64_t> size = call.integers("output_size");
  call.require(shape.size() == 3 && size.size() == 2, "an input that is no image");
  if (size == Shape(shape.begin() + 1, shape.end())) return input;
  if (size == Shape{1, 1}) return call.network().add(GlobalAvgPool2d{}, {input});
  return call.network().add(AdaptiveAvgPool2d{size[0], size[1]}, {input});
}

LayerId mean(OperatorCall& call) {
  const LayerId input = call.layer("self");
  std::vector<std::int64_t> dimensions = call.integers("dim");
  for (std::int64_t& d : dimensions) d = d < 0 ? d + 4 : d;
  std::sort(dimensions.begin(), dimensions.end());
  const bool spatial =
      call.network().shape(input).size() == 3 && dimensions == std::vector<std::int64_t>{2, 3};
  call.require(spatial && call.is_none("dtype"), "other dimensions than height and width");
  const LayerId pooled = call.network().add(GlobalAvgPool2d{}, {input});
  return call.boolean("keepdim") ? pooled : call.network().add(Flatten{}, {pooled});
}

LayerId dropout(OperatorCall& call) {
  call.require(!call.boolean("train"), "train=True in evaluation mode");
  return call.first_layer();  // "input" or, in place, "self"
}

LayerId same(OperatorCall& call) { return call.layer("self"); }

constexpr std::pair<std::string_view, Operator> table[] = {
    {"aten::conv2d", convolution},
    {"aten::conv_transpose2d", transposed_convolution},
    {"aten::_convolution", any_convolution},
    {"aten::linear", linear},
    {"aten::matmul", matmul},
    {"aten::mm", mm},
    {"aten::addmm", addmm},
    {"aten::batch_norm", batch_norm},
    {"aten::layer_norm", layer_norm},
    {"aten::relu", elementwise<Relu>},
    {"aten::relu6", relu6},
    {"aten::hardtanh", hardtanh},
    {"aten::clamp", clamp},
    {"aten::silu", elementwise<Silu>},
    {"aten::hardswish", elementwise<Hardswish>},
    {"aten::hardsigmoid", elementwise<Hardsigmoid>},
    {"aten::gelu", gelu},
    {"aten::leaky_relu", leaky_relu},
    {"aten::sigmoid", elementwise<Sigmoid>},
    {"aten::tanh", elementwise<Tanh>},
    {"aten::softmax", over_classes<Softmax>},
    {"aten::log_softmax", over_classes<LogSoftmax>},
    {"aten::max_pool2d", max_pool},
    {"aten::avg_pool2d", avg_pool},
    {"aten::adaptive_avg_pool2d", adaptive_avg_pool},
    {"aten::mean", mean},
    {"aten::dropout", dropout},
    {"aten::feature_dropout", dropout},
    {"aten::alpha_dropout", dropout},
    {"aten::contiguous", same},
    {"aten::clone", same},
    {"aten::view", view},
    {"aten::reshape", reshape},
    {"aten::flatten", flatten},
    {"aten::unflatten", unflatten},
    {"aten::unsqueeze", unsqueeze},
    {"aten::squeeze", squeeze},
    {"aten::permute", permute},
    {"aten::transpose", transpose},
    {"aten::constant_pad_nd", zero_pad},
    {"aten::pad", pad},
    {"aten::upsample_nearest2d", upsample_nearest},
    {"aten::add", add},
    {"aten::sub", subtract},
    {"aten::rsub", subtract_from},
    {"aten::neg", negate},
    {"aten::mul", multiply},
    {"aten::div", divide},
    {"aten::cat", concatenate},
    {"aten::slice", slice},
    {"aten::narrow", narrow},
    {"aten::select", select},
    {"aten::index", index},
    {"aten::index_select", index_select},
};

}  // namespace

Operator find_operator(std::string_view name) {
  for (const auto& [known, build] : table) {
    if (known == name) return build;
  }
  return nullptr;
}

}  // namespace whence::nn
