#include "interchange/script_operators.h"

#include <fmt/ranges.h>

#include "interchange/script_arithmetic.h"
#include "interchange/script_columns.h"
#include "nn/graph/shapes.h"

namespace whence::nn {
namespace {

NamedTensors weight_and_bias(const OperatorCall& call) {
  NamedTensors values = {{"weight", call.tensor("weight")}};
  if (!call.is_none("bias")) values.push_back({"bias", call.tensor("bias")});
  return values;
}

LayerId add_convolution(OperatorCall& call, bool transposed) {
  const LayerId input = call.layer("input");
  const NamedTensors values = weight_and_bias(call);
  const at::Tensor& weight = values.front().tensor;
  call.require(weight.dim() == 4, "a {}-dimensional weight, not an image convolution's", weight.dim());
  call.require(weight.size(2) == weight.size(3), "a kernel of {}x{}, which is not square", weight.size(2),
               weight.size(3));
  call.require(call.integer("groups") == 1, "{} groups", call.integer("groups"));
  call.require(call.square("dilation") == 1, "dilation {}", call.square("dilation"));
  const Shape& shape = call.network().shape(input);
  call.require(shape.size() != 3 || shape[0] == weight.size(transposed ? 0 : 1),
               "weights for {} channels behind {}", weight.size(transposed ? 0 : 1), shape[0]);
  const std::int64_t kernel = weight.size(2), stride = call.square("stride"),
                     padding = call.square("padding");
  const bool bias = values.size() == 2;
  if (transposed) {
    return call.network().add(
        ConvTranspose2d{weight.size(1), kernel, stride, padding, call.square("output_padding"), bias},
        {input}, values);
  }
  return call.network().add(Conv2d{weight.size(0), kernel, stride, padding, bias}, {input}, values);
}

LayerId convolution(OperatorCall& call) { return add_convolution(call, false); }
LayerId transposed_convolution(OperatorCall& call) { return add_convolution(call, true); }
LayerId any_convolution(OperatorCall& call) { return add_convolution(call, call.boolean("transposed")); }

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
  call.require(!call.boolean("ceil_mode"), "ceil_mode");
  return call.network().add(MaxPool2d{call.square("kernel_size"), pool_stride(call), call.square("padding")},
                            {call.layer("self")});
}

LayerId avg_pool(OperatorCall& call) {
  const std::int64_t padding = call.square("padding");
  call.require(!call.boolean("ceil_mode"), "ceil_mode");
  call.require(padding == 0 || call.boolean("count_include_pad"), "padding that is not counted");
  call.require(call.is_none("divisor_override"), "a divisor of its own");
  return call.network().add(AvgPool2d{call.square("kernel_size"), pool_stride(call), padding},
                            {call.layer("self")});
}

LayerId adaptive_avg_pool(OperatorCall& call) {
  const LayerId input = call.layer("self");
  const Shape& shape = call.network().shape(input);
  const std::vector<std::int64_t> size = call.integers("output_size");
  if (shape.size() == 3 && size == Shape(shape.begin() + 1, shape.end())) return input;
  call.require(size == Shape{1, 1}, "an output of {} instead of 1x1", fmt::join(size, "x"));
  return call.network().add(GlobalAvgPool2d{}, {input});
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
  return call.layer("input");
}

LayerId same(OperatorCall& call) { return call.layer("self"); }

LayerId reshape_to(OperatorCall& call, LayerId input, Shape shape) {
  if (shape == call.network().shape(input)) return input;
  if (shape.size() == 1) return call.network().add(Flatten{}, {input});
  return call.network().add(Reshape{std::move(shape)}, {input});
}

/// Fills in a -1 of PyTorch's.
Shape completed(const OperatorCall& call, Shape shape, std::int64_t total) {
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open != shape.end()) {
    *open = 1;
    const std::int64_t rest = elements(shape);
    call.require(rest > 0 && total % rest == 0, "a shape that its input does not divide into");
    *open = total / rest;
  }
  call.require(elements(shape) == total, "a shape ({}) that does not keep the batch dimension",
               fmt::join(shape, "x"));
  return shape;
}

/// Only shapes that leave the batch dimension alone: (N, ...) or (-1, ...) where the rest is one whole
/// sample.
LayerId add_view(OperatorCall& call, const char* argument) {
  const LayerId input = call.layer("self");
  const std::vector<Symbol> sizes = call.sizes(argument);
  call.require(sizes.size() >= 2, "a shape without a batch dimension");
  if (const auto* first = std::get_if<c10::IValue>(&sizes.front().value)) {
    call.require(first->isInt() && first->toInt() == -1, "a fixed batch size");
  }
  Shape shape;
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    const auto* size = std::get_if<c10::IValue>(&sizes[i].value);
    call.require(size != nullptr && size->isInt(), "a shape that moves the batch dimension");
    shape.push_back(size->toInt());
  }
  return reshape_to(call, input, completed(call, shape, elements(call.network().shape(input))));
}

LayerId view(OperatorCall& call) { return add_view(call, "size"); }
LayerId reshape(OperatorCall& call) { return add_view(call, "shape"); }

LayerId flatten(OperatorCall& call) {
  const LayerId input = call.layer("self");
  const Shape& shape = call.network().shape(input);
  const std::int64_t start = call.dimension("start_dim", input) - 1, end = call.dimension("end_dim", input);
  call.require(start >= 0, "start_dim 0, which flattens the batch");
  call.require(start < end && end <= static_cast<std::int64_t>(shape.size()),
               "dimensions that are not there");
  Shape flat(shape.begin(), shape.begin() + start);
  flat.push_back(elements(Shape(shape.begin() + start, shape.begin() + end)));
  flat.insert(flat.end(), shape.begin() + end, shape.end());
  return reshape_to(call, input, flat);
}

LayerId unflatten(OperatorCall& call) {
  const LayerId input = call.layer("self");
  const Shape& shape = call.network().shape(input);
  const std::int64_t dimension = call.dimension("dim", input) - 1;
  call.require(dimension >= 0 && dimension < static_cast<std::int64_t>(shape.size()),
               "the batch dimension to unflatten");
  const Shape inner = completed(call, call.integers("sizes"), shape[static_cast<std::size_t>(dimension)]);
  Shape whole(shape.begin(), shape.begin() + dimension);
  whole.insert(whole.end(), inner.begin(), inner.end());
  whole.insert(whole.end(), shape.begin() + dimension + 1, shape.end());
  return reshape_to(call, input, whole);
}

LayerId zero_pad(OperatorCall& call) {
  std::vector<std::int64_t> pad = call.integers("pad");
  call.require(call.is_none("value") || call.number("value") == 0, "a value other than 0");
  call.require(pad.size() == 2 || pad.size() == 4, "a padding of {} numbers", pad.size());
  pad.resize(4, 0);
  return call.network().add(ZeroPad2d{pad[0], pad[1], pad[2], pad[3]}, {call.layer("self")});
}

/// Both sizes a whole multiple of the input's; given as sizes, as factors or (in traces) as both.
LayerId upsample_nearest(OperatorCall& call) {
  const LayerId input = call.first_layer();
  const Shape& shape = call.network().shape(input);
  call.require(shape.size() == 3, "an input that is no image");
  std::vector<double> factors;
  if (call.is_none("output_size")) {
    factors = call.numbers("scale_factors");
  } else {
    const std::vector<std::int64_t> sizes = call.integers("output_size");
    for (std::size_t i = 0; i < sizes.size() && i < 2; ++i)
      factors.push_back(static_cast<double>(sizes[i]) / static_cast<double>(shape[i + 1]));
  }
  call.require(factors.size() == 2 && factors[0] == factors[1] && factors[0] >= 1 &&
                   factors[0] == std::floor(factors[0]),
               "factors of {}, not one whole number", fmt::join(factors, "x"));
  return call.network().add(UpsampleNearest2d{static_cast<std::int64_t>(factors[0])}, {input});
}

LayerId pad(OperatorCall& call) {
  call.require(call.text("mode") == "constant", "mode {}", call.text("mode"));
  return zero_pad(call);
}

LayerId concatenate(OperatorCall& call) {
  const std::vector<LayerId> inputs = call.layers("tensors");
  call.require(!inputs.empty() && call.dimension("dim", inputs.front()) == 1, "another dimension than 1");
  return inputs.size() == 1 ? inputs.front() : call.network().add(Concat{}, inputs);
}

constexpr std::pair<std::string_view, Operator> table[] = {
    {"aten::conv2d", convolution},
    {"aten::conv_transpose2d", transposed_convolution},
    {"aten::_convolution", any_convolution},
    {"aten::linear", linear},
    {"aten::matmul", matmul},
    {"aten::mm", mm},
    {"aten::addmm", addmm},
    {"aten::batch_norm", batch_norm},
    {"aten::relu", elementwise<Relu>},
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
    {"aten::detach", same},
    {"aten::view", view},
    {"aten::reshape", reshape},
    {"aten::flatten", flatten},
    {"aten::unflatten", unflatten},
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
