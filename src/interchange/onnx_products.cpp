// Convolutions and matrix products.
#include <array>
#include <map>

#include "interchange/onnx_operators.h"
#include "interchange/onnx_window.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

/// The spatial sizes of a convolution's weight.
std::vector<std::int64_t> kernel_of(const OnnxCall& call, const OnnxValue& weight) {
  const auto counts = counts_of(weight.sizes);
  if (!counts || counts->size() < 3 || counts->size() > 5)
    call.problem("has a weight of {}, which is no convolution's", text_of(weight.sizes));
  return {counts->begin() + 2, counts->end()};
}

OnnxArgument bias_of(OnnxCall& call, std::int64_t channels) {
  if (!call.has(2)) return std::nullopt;
  const OnnxValue& bias = call.input(2);
  if (bias.sizes != OnnxSizes{{channels}})
    call.problem("has a bias of {} for {} channels", text_of(bias.sizes), channels);
  return bias;
}

void name_weights(OnnxCall& call) {
  call.name_weight(call.input(1), "weight");
  if (call.has(2)) call.name_weight(call.input(2), "bias");
}

std::int64_t groups_of(const OnnxCall& call, std::int64_t channels) {
  const std::int64_t groups = call.integer("group", 1);
  if (groups < 1 || groups > std::max<std::int64_t>(channels, 1) || channels % groups != 0)
    call.problem("has {} groups for {} channels", groups, channels);
  return groups;
}

Values convolution_onnx(OnnxCall& call) {
  const OnnxValue& weight = call.input(1);
  OnnxValue x = call.input(0);
  const OnnxWindow window = window_of(call, kernel_of(call, weight), x.sizes);
  const std::int64_t channels = weight.sizes[0].count, groups = groups_of(call, channels);
  if (x.sizes[1].count != weight.sizes[1].count * groups)
    call.problem("has weights of {} for an input of {}", text_of(weight.sizes), text_of(x.sizes));
  const OnnxSizes sizes = result_sizes(window, x.sizes, channels);
  if (!window.is_even()) x = padded_with(call, x, window.begin, window.end, 0);
  const std::vector<std::int64_t> padding =
      window.is_even() ? window.begin : std::vector<std::int64_t>(window.dimensions(), 0);
  name_weights(call);
  return {call.emit(fmt::format("aten::conv{}d", window.dimensions()),
                    {x, weight, bias_of(call, channels), window.strides, padding, window.dilations, groups},
                    sizes)};
}

/// Where output_shape or auto_pad tells how much of the full result is cut off.
void cut_to(const OnnxCall& call, OnnxWindow& window, const std::vector<std::int64_t>& full,
            const std::vector<std::int64_t>& wanted) {
  if (wanted.size() != full.size()) call.problem("has an output_shape of {} dimensions", wanted.size());
  for (std::size_t i = 0; i < full.size(); ++i) {
    const std::int64_t total = full[i] - wanted[i];
    if (total < 0 || wanted[i] < 1) call.problem("has an output_shape that its weights do not give");
    const bool upper = call.text("auto_pad", "NOTSET") == "SAME_UPPER";
    window.begin[i] = upper ? total / 2 : total - total / 2;
    window.end[i] = total - window.begin[i];
  }
}

Values transposed_convolution_onnx(OnnxCall& call) {
  const OnnxValue &x = call.input(0), &weight = call.input(1);
  OnnxWindow window = window_of(call, kernel_of(call, weight), x.sizes);
  const std::int64_t groups = groups_of(call, x.sizes[1].count), channels = weight.sizes[1].count * groups;
  if (x.sizes[1] != weight.sizes[0])
    call.problem("has weights of {} for an input of {}", text_of(weight.sizes), text_of(x.sizes));
  const std::size_t count = window.dimensions();
  const std::vector<std::int64_t> extra =
      call.integers("output_padding", std::vector<std::int64_t>(count, 0));
  if (extra.size() != count) call.problem("has {} numbers as output_padding", extra.size());
  std::vector<std::int64_t> full, wanted;
  for (std::size_t i = 0; i < count; ++i) {
    if (extra[i] < 0 || extra[i] >= std::max(window.strides[i], window.dilations[i]))
      call.problem("has an output_padding of {} beside a stride of {}", extra[i], window.strides[i]);
    full.push_back((x.sizes[i + 2].count - 1) * window.strides[i] +
                   window.dilations[i] * (window.kernel[i] - 1) + 1 + extra[i]);
    wanted.push_back(x.sizes[i + 2].count * window.strides[i]);
  }
  if (call.has_attribute("output_shape")) {
    std::vector<std::int64_t> shape = call.integers("output_shape");
    if (shape.size() > count) shape.erase(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(count));
    cut_to(call, window, full, shape);
  } else if (call.text("auto_pad", "NOTSET").starts_with("SAME")) {
    cut_to(call, window, full, wanted);
  }
  name_weights(call);
  OnnxSizes sizes = {x.sizes[0], {channels}};
  for (std::size_t i = 0; i < count; ++i) sizes.push_back({full[i] - window.begin[i] - window.end[i]});
  const std::string name = fmt::format("aten::conv_transpose{}d{}", count, count == 1 ? "" : ".input");
  const auto emit = [&](const std::vector<std::int64_t>& padding, const OnnxSizes& result) {
    return call.emit(
        name, {x, weight, bias_of(call, channels), window.strides, padding, extra, groups, window.dilations},
        result);
  };
  if (window.is_even()) return {emit(window.begin, sizes)};
  OnnxSizes whole = {x.sizes[0], {channels}};
  for (const std::int64_t size : full) whole.push_back({size});
  OnnxValue y = emit(std::vector<std::int64_t>(count, 0), whole);
  for (std::size_t i = 0; i < count; ++i) {
    whole[i + 2] = sizes[i + 2];
    y = call.emit("aten::narrow", {y, static_cast<std::int64_t>(i + 2), window.begin[i], sizes[i + 2].count},
                  whole);
  }
  return {y};
}

/// A linear layer with the weight (out, in). Where x is an image in another order that was flattened, the weight takes
/// the order instead. `name`: of the weight in the file.
OnnxValue linear_layer(OnnxCall& call, OnnxValue x, at::Tensor weight, const std::string& name,
                       const OnnxArgument& bias) {
  if (x.order != nullptr && x.order->flat) {
    const OnnxOrder order = *x.order;
    std::vector<std::int64_t> turned = {weight.size(0)}, back = {0};
    for (std::size_t i = 1; i < order.dimensions.size(); ++i) {
      turned.push_back(order.base.sizes[static_cast<std::size_t>(order.dimensions[i])].count);
      const auto place =
          std::find(order.dimensions.begin(), order.dimensions.end(), static_cast<std::int64_t>(i));
      back.push_back(place - order.dimensions.begin());
    }
    weight = weight.reshape(turned).permute(back).reshape({weight.size(0), -1});
    x = call.emit("aten::flatten.using_ints", {order.base, 1, -1}, x.sizes);
  }
  OnnxSizes sizes = x.sizes;
  sizes.back() = {weight.size(0)};
  call.emitter().spend(weight.numel());
  const OnnxValue named = call.emitter().constant(weight.contiguous(), name);
  call.name_weight(named, "weight");
  return call.emit("aten::linear", {x, named, bias}, sizes);
}

bool is_matrix(const OnnxValue& value) { return value.is_constant() && value.rank() == 2; }

Values matmul_onnx(OnnxCall& call) {
  const OnnxValue &a = call.input(0), &b = call.input(1);
  if (a.rank() == 0 || b.rank() == 0) call.problem("multiplies a number by a matrix");
  const OnnxSize inner = a.sizes.back(), other = b.sizes[b.rank() == 1 ? 0 : b.rank() - 2];
  if (inner != other || inner.batch) call.problem("multiplies {} by {}", text_of(a.sizes), text_of(b.sizes));
  if (is_matrix(b) && !a.is_constant() && a.rank() >= 2)
    return {linear_layer(call, a, b.constant.t(), call.emitter().name_of(b), std::nullopt)};
  OnnxSizes front_a(a.sizes.begin(), a.sizes.end() - std::min<std::ptrdiff_t>(std::ssize(a.sizes), 2));
  OnnxSizes front_b(b.sizes.begin(), b.sizes.end() - std::min<std::ptrdiff_t>(std::ssize(b.sizes), 2));
  OnnxSizes sizes = broadcast(front_a, front_b);
  if (a.rank() > 1) sizes.push_back(a.sizes[a.rank() - 2]);
  if (b.rank() > 1) sizes.push_back(b.sizes.back());
  return {call.emit("aten::matmul", {a, b}, sizes)};
}

OnnxValue turned_matrix(OnnxCall& call, const OnnxValue& matrix, bool turned) {
  if (!turned) return matrix;
  return call.emit("aten::t", {matrix}, {matrix.sizes[1], matrix.sizes[0]}, matrix.type);
}

OnnxValue scaled(OnnxCall& call, const OnnxValue& x, double factor) {
  return factor == 1 ? x : call.emit("aten::mul.Scalar", {x, factor}, x.sizes, x.type);
}

/// alpha a b + beta c
Values gemm(OnnxCall& call) {
  if (call.input(0).rank() != 2 || call.input(1).rank() != 2) call.problem("multiplies what are no matrices");
  const OnnxValue a = turned_matrix(call, call.input(0), call.integer("transA", 0) != 0);
  const OnnxSizes& factor = call.input(1).sizes;
  const bool turned = call.integer("transB", 0) != 0;
  if (a.sizes[1] != factor[turned ? 1 : 0] || a.sizes[1].batch)
    call.problem("multiplies {} by {}", text_of(a.sizes), text_of(factor));
  const double alpha = call.real("alpha", 1), beta = call.real("beta", 1);
  const OnnxSizes sizes = {a.sizes[0], factor[turned ? 0 : 1]};
  const bool has_bias = call.has(2) && beta != 0;
  if (has_bias && broadcast(sizes, call.input(2).sizes) != sizes)
    call.problem("adds {} to {}", text_of(call.input(2).sizes), text_of(sizes));
  if (is_matrix(call.input(1)) && !a.is_constant()) {
    const at::Tensor& given = call.input(1).constant;
    const at::Tensor weight = turned ? given : given.t();
    const auto linear = [&](const OnnxArgument& bias) {
      return linear_layer(call, a, alpha == 1 ? weight : weight * alpha,
                          call.emitter().name_of(call.input(1)), bias);
    };
    if (!has_bias) return {linear(std::nullopt)};
    const OnnxValue bias = scaled(call, call.input(2), beta);
    if (!bias.is_constant() || bias.constant.numel() != sizes[1].count)
      return {call.emit("aten::add.Tensor", {linear(std::nullopt), bias}, sizes)};
    const OnnxValue row = bias.rank() == 1 ? bias : call.constant_of(bias.constant.reshape({-1}));
    call.name_weight(row, "bias");
    return {linear(row)};
  }
  const OnnxValue b = turned_matrix(call, call.input(1), turned);
  const OnnxValue product = scaled(call, call.emit("aten::matmul", {a, b}, sizes), alpha);
  if (!has_bias) return {product};
  return {call.emit("aten::add.Tensor", {product, scaled(call, call.input(2), beta)}, sizes)};
}

/// "bhid,bhjd->bhij"; without an arrow the letters that stand once, in the order of the alphabet.
Values einsum(OnnxCall& call) {
  std::string equation = call.text("equation", "");
  std::erase(equation, ' ');
  if (equation.find('.') != std::string::npos)
    call.problem("has an ellipsis ({}), which whence does not read", equation);
  const std::size_t arrow = equation.find("->");
  std::map<char, OnnxSize> sizes_of;
  std::map<char, int> times_seen;
  std::string_view left = std::string_view(equation).substr(0, arrow);
  for (const OnnxValue& value : call.all()) {
    const std::string_view letters = left.substr(0, left.find(','));
    left.remove_prefix(std::min(letters.size() + 1, left.size()));
    if (letters.size() != value.rank()) call.problem("names other dimensions ({}) than there are", equation);
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const auto [known, added] = sizes_of.emplace(letters[i], value.sizes[i]);
      if (!added && known->second != value.sizes[i]) call.problem("has sizes that do not fit ({})", equation);
      ++times_seen[letters[i]];
    }
  }
  std::string result;
  if (arrow != std::string::npos) {
    result = equation.substr(arrow + 2);
  } else {
    for (const auto& [letter, count] : times_seen)
      if (count == 1) result += letter;
  }
  OnnxSizes sizes;
  for (const char letter : result) {
    if (!sizes_of.contains(letter)) call.problem("names a dimension that is not there ({})", equation);
    sizes.push_back(sizes_of[letter]);
  }
  return {call.emit("aten::einsum", {equation, call.all()}, sizes)};
}

constexpr OnnxEntry kProducts[] = {
    {"Conv", convolution_onnx}, {"ConvTranspose", transposed_convolution_onnx},
    {"MatMul", matmul_onnx},    {"Gemm", gemm},
    {"Einsum", einsum},
};

}  // namespace

std::span<const OnnxEntry> onnx_products() { return kProducts; }

}  // namespace whence::interchange
