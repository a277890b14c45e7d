// Shapes: asking for them, and changing them.
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>

#include <numeric>

#include "interchange/onnx_operators.h"
#include "interchange/onnx_rearrange.h"
#include "interchange/onnx_tensors.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

OnnxValue whole_list(OnnxSizes numbers) {
  OnnxValue value;
  value.type = at::kLong;
  value.sizes = {{static_cast<std::int64_t>(numbers.size())}};
  value.numbers = std::move(numbers);
  return value;
}

Values shape(OnnxCall& call) {
  const OnnxSizes& sizes = call.input(0).sizes;
  const auto rank = static_cast<std::int64_t>(sizes.size());
  const auto place = [&](std::int64_t i) { return std::clamp(i < 0 ? i + rank : i, std::int64_t{0}, rank); };
  const std::int64_t begin = place(call.integer("start", 0)),
                     end = std::max(begin, place(call.integer("end", rank)));
  return {whole_list(OnnxSizes(sizes.begin() + begin, sizes.begin() + end))};
}

Values size(OnnxCall& call) {
  OnnxValue value = whole_list({elements_of(call.input(0).sizes)});
  value.sizes.clear();
  return {value};
}

/// Numbers of a shape that a file wrote for a fixed number of samples, with N where that number stands.
void free_batch(const OnnxCall& call, const OnnxValue& x, OnnxSizes& wanted, std::int64_t fixed) {
  if (!has_batch(x.sizes) || has_batch(wanted) || wanted.empty() || wanted.front().count < 1) return;
  const std::int64_t samples = elements_of(x.sizes).count * fixed;
  std::int64_t product = 1;
  bool open = false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::int64_t count = wanted[i].count == 0 && call.integer("allowzero", 0) == 0 && i < x.rank()
                                   ? x.sizes[i].count
                                   : wanted[i].count;
    open = open || count == -1;
    if (count > 0 && product <= samples) product = count > samples / product ? samples + 1 : product * count;
  }
  const bool whole = open ? product > 0 && samples % product == 0 : product == samples;
  if (whole && wanted.front().count % fixed == 0) wanted.front() = {wanted.front().count / fixed, true};
}

/// -1 and 0 replaced by what they stand for.
OnnxSizes completed_sizes(const OnnxCall& call, const OnnxValue& x, OnnxSizes wanted) {
  std::optional<std::size_t> open;
  OnnxSize rest;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == OnnxSize{0} && call.integer("allowzero", 0) == 0) {
      if (i >= x.rank()) call.problem("keeps a dimension ({}) that is not there", i);
      wanted[i] = x.sizes[i];
    }
    if (wanted[i] == OnnxSize{-1}) {
      if (open) call.problem("leaves two sizes open");
      open = i;
    } else if (wanted[i].count < 0) {
      call.problem("has a size of {}", wanted[i].count);
    } else {
      rest = times(rest, wanted[i]);
    }
  }
  const OnnxSize total = elements_of(x.sizes);
  if (open) {
    const bool whole = rest.count > 0 && total.count % rest.count == 0 && (total.batch || !rest.batch);
    if (!whole) call.problem("makes {} of {}", text_of(wanted), text_of(x.sizes));
    wanted[*open] = {total.count / rest.count, total.batch && !rest.batch};
  } else if (rest != total) {
    call.problem("makes {} of {}", text_of(wanted), text_of(x.sizes));
  }
  return wanted;
}

Values reshape(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  OnnxSizes wanted = call.numbers(1);
  if (call.emitter().fixed_batch) free_batch(call, x, wanted, *call.emitter().fixed_batch);
  return {reshaped(call, x, completed_sizes(call, x, wanted))};
}

Values flatten(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::int64_t axis = call.integer("axis", 1);
  const std::size_t from =
      axis == static_cast<std::int64_t>(x.rank()) ? x.rank() : dimension_of(axis, x.rank());
  const auto middle = x.sizes.begin() + static_cast<std::ptrdiff_t>(from);
  return {reshaped(call, x, {elements_of({x.sizes.begin(), middle}), elements_of({middle, x.sizes.end()})})};
}

Values squeeze(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  std::vector<bool> gone(x.rank(), false);
  if (const auto axes = call.listed("axes", 1)) {
    for (const std::int64_t axis : *axes) gone[dimension_of(axis, x.rank())] = true;
  } else {
    for (std::size_t i = 0; i < x.rank(); ++i) gone[i] = x.sizes[i] == OnnxSize{1};
  }
  OnnxSizes sizes;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    if (!gone[i]) sizes.push_back(x.sizes[i]);
    if (gone[i] && x.sizes[i] != OnnxSize{1})
      call.problem("takes dimension {} of {} away, which is not 1", i, text_of(x.sizes));
  }
  return {reshaped(call, x, sizes)};
}

Values unsqueeze(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const auto axes = call.listed("axes", 1);
  if (!axes || axes->size() > 16) call.problem("does not say where the new dimensions go");
  std::vector<bool> is_new(x.rank() + axes->size(), false);
  for (const std::int64_t axis : *axes) {
    const std::size_t place = dimension_of(axis, is_new.size());
    if (is_new[place]) call.problem("adds dimension {} twice", place);
    is_new[place] = true;
  }
  OnnxSizes sizes;
  for (std::size_t i = 0, old = 0; i < is_new.size(); ++i)
    sizes.push_back(is_new[i] ? OnnxSize{1} : x.sizes[old++]);
  return {reshaped(call, x, sizes)};
}

Values transpose(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  std::vector<std::int64_t> backwards(x.rank());
  std::iota(backwards.rbegin(), backwards.rend(), 0);
  return {permuted(call, x, call.integers("perm", backwards))};
}

Values expand(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  OnnxSizes wanted = call.numbers(1);
  const std::optional<std::int64_t> fixed = call.emitter().fixed_batch;
  if (fixed && !wanted.empty() && wanted.size() == x.rank() && x.sizes[0] == OnnxSize{1, true} &&
      wanted[0] == OnnxSize{*fixed})
    wanted[0] = {1};
  const OnnxSizes sizes = broadcast(x.sizes, wanted);
  if (sizes == x.sizes) return {x};
  return {call.emit("aten::expand", {x, sizes, false}, sizes, x.type)};
}

Values tile(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::vector<std::int64_t> repeats = call.whole_numbers(1);
  if (repeats.size() != x.rank())
    call.problem("repeats {} dimensions of {}", repeats.size(), text_of(x.sizes));
  OnnxSizes sizes = x.sizes;
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    if (x.sizes[i].batch && repeats[i] != 1) call.problem("repeats the samples");
    if (repeats[i] < 0) call.problem("repeats a dimension {} times", repeats[i]);
    sizes[i] = times(sizes[i], {repeats[i]});
  }
  return {call.emit("aten::repeat", {x, repeats}, sizes, x.type)};
}

/// (C s s, H, W) -> (C, s H, s W), with the s x s in front of (DCR) or behind the channels.
Values depth_to_space(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::int64_t s = call.integer("blocksize", 0);
  if (x.rank() != 4 || s < 1 || s > 1024 || x.sizes[1].count % (s * s) != 0)
    call.problem("has blocks of {} for {}", s, text_of(x.sizes));
  const std::int64_t channels = x.sizes[1].count / (s * s), height = x.sizes[2].count,
                     width = x.sizes[3].count;
  const bool in_front = call.text("mode", "DCR") == "DCR";
  const OnnxSizes parts = in_front ? OnnxSizes{x.sizes[0], {s}, {s}, {channels}, {height}, {width}}
                                   : OnnxSizes{x.sizes[0], {channels}, {s}, {s}, {height}, {width}};
  const OnnxValue mixed = permuted(
      call, reshaped(call, x, parts),
      in_front ? std::vector<std::int64_t>{0, 3, 4, 1, 5, 2} : std::vector<std::int64_t>{0, 1, 4, 2, 5, 3});
  return {reshaped(call, mixed, {x.sizes[0], {channels}, {height * s}, {width * s}})};
}

Values space_to_depth(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::int64_t s = call.integer("blocksize", 0);
  if (x.rank() != 4 || s < 1 || s > 1024 || x.sizes[2].count % s != 0 || x.sizes[3].count % s != 0)
    call.problem("has blocks of {} for {}", s, text_of(x.sizes));
  const std::int64_t channels = x.sizes[1].count, height = x.sizes[2].count / s, width = x.sizes[3].count / s;
  const OnnxValue parts = reshaped(call, x, {x.sizes[0], {channels}, {height}, {s}, {width}, {s}});
  const OnnxValue mixed = permuted(call, parts, {0, 3, 5, 1, 2, 4});
  return {reshaped(call, mixed, {x.sizes[0], {channels * s * s}, {height}, {width}})};
}

Values listed_constant(OnnxCall& call) {
  if (const OnnxAttribute* value = call.find("value_int"))
    return {call.constant_of(at::scalar_tensor(value->integer, at::kLong))};
  if (const OnnxAttribute* value = call.find("value_float"))
    return {call.constant_of(at::scalar_tensor(value->real, at::kFloat))};
  if (const OnnxAttribute* value = call.find("value_ints"))
    return {call.constant_of(at::tensor(value->integers, at::kLong))};
  if (const OnnxAttribute* value = call.find("value_floats"))
    return {call.constant_of(at::tensor(value->reals, at::kFloat))};
  call.problem("holds no numbers that whence reads");
}

Values constant_of_shape(OnnxCall& call) {
  const OnnxSizes sizes = call.numbers(0);
  c10::Scalar value = 0.0F;
  at::ScalarType type = at::kFloat;
  if (const OnnxAttribute* given = call.find("value"); given != nullptr && !given->tensor.empty()) {
    const at::Tensor tensor = read_onnx_tensor(given->tensor.front(), "the model");
    if (tensor.numel() != 1) call.problem("fills with more than one number");
    value = tensor.item();
    type = tensor.scalar_type();
  }
  const OnnxValue one = call.constant_of(at::full({1}, value, at::TensorOptions(type)));
  if (sizes.empty()) return {call.constant_of(one.constant.reshape(std::vector<std::int64_t>()))};
  const OnnxValue spread = call.emit("aten::expand", {one, sizes, false}, sizes, type);
  return {spread};
}

/// 0 to N - 1, which PyTorch writes for as_strided.
OnnxValue numbered_samples(OnnxCall& call, const OnnxSize& count) {
  const OnnxValue one = call.constant_of(at::ones({1}, at::TensorOptions(at::kLong)));
  const OnnxSizes sizes = {count};
  const OnnxValue ones = call.emit("aten::expand", {one, sizes, false}, sizes, at::kLong);
  const OnnxValue sums = call.emit("aten::cumsum", {ones, 0, std::nullopt}, sizes, at::kLong);
  return call.emit("aten::sub.Scalar", {sums, 1, 1}, sizes, at::kLong);
}

Values range(OnnxCall& call) {
  if (call.input(1).numbers && call.input(1).numbers->size() == 1 &&
      call.constant(0).eq(0).all().item<bool>() && call.constant(2).eq(1).all().item<bool>())
    return {numbered_samples(call, call.input(1).numbers->front())};
  const at::Tensor start = call.constant(0), limit = call.constant(1), step = call.constant(2);
  if (start.numel() != 1 || limit.numel() != 1 || step.numel() != 1)
    call.problem("counts by what are no single numbers");
  const double count = std::ceil((limit.item<double>() - start.item<double>()) / step.item<double>());
  if (!(std::abs(count) < 1e7)) call.problem("counts {:.3g} numbers", count);
  const auto whole = static_cast<std::int64_t>(std::max(count, 0.0));
  call.emitter().spend(3 * whole);
  const at::Tensor steps = at::arange(whole, at::TensorOptions(start.scalar_type()));
  return {call.constant_of(steps * step.reshape(std::vector<std::int64_t>()) +
                           start.reshape(std::vector<std::int64_t>()))};
}

constexpr OnnxEntry kShapes[] = {
    {"Shape", shape},
    {"Size", size},
    {"Reshape", reshape},
    {"Flatten", flatten},
    {"Squeeze", squeeze},
    {"Unsqueeze", unsqueeze},
    {"Transpose", transpose},
    {"Expand", expand},
    {"Tile", tile},
    {"DepthToSpace", depth_to_space},
    {"SpaceToDepth", space_to_depth},
    {"Constant", listed_constant},
    {"ConstantOfShape", constant_of_shape},
    {"Range", range},
};

}  // namespace

std::span<const OnnxEntry> onnx_shapes() { return kShapes; }

}  // namespace whence::interchange
