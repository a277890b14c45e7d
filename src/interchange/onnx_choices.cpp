// Choosing elements of tensors, and putting numbers around or into them.
#include <ATen/ops/arange.h>

#include <numeric>

#include "interchange/onnx_operators.h"
#include "interchange/onnx_rearrange.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

std::int64_t signed_of(std::size_t i) { return static_cast<std::int64_t>(i); }

/// Rows of a dimension by their numbers, which are within bounds.
OnnxValue rows_of_value(OnnxCall& call, const OnnxValue& x, std::size_t axis,
                        const std::vector<std::int64_t>& rows) {
  OnnxSizes sizes = x.sizes;
  sizes[axis] = {signed_of(rows.size())};
  const OnnxValue index = call.constant_of(at::tensor(rows, at::kLong));
  return call.emit("aten::index_select", {x, signed_of(axis), index}, sizes, x.type);
}

/// From `start` to `end` in steps; what lies outside is cut off, as Python does.
OnnxValue sliced(OnnxCall& call, const OnnxValue& x, std::size_t axis, std::int64_t start, std::int64_t end,
                 std::int64_t step) {
  const OnnxSize size = x.sizes[axis];
  const std::optional<std::int64_t> fixed = call.emitter().fixed_batch;
  if (size.batch) {
    const bool all =
        start == 0 && step == 1 && (end >= std::int64_t{1} << 31 || end == INT32_MAX || end == fixed);
    if (!all) call.problem("takes a part of the samples of a batch");
    return x;
  }
  if (step == 0) call.problem("has steps of 0");
  const std::int64_t count = size.count;
  const auto clamped = [&](std::int64_t i, std::int64_t least, std::int64_t most) {
    return std::clamp(i < 0 ? (i < -count ? least : i + count) : i, least, most);
  };
  if (step > 0) {
    const std::int64_t from = clamped(start, 0, count), to = std::max(from, clamped(end, 0, count));
    if (from == 0 && to == count && step == 1) return x;
    OnnxSizes sizes = x.sizes;
    sizes[axis] = {(to - from) / step + ((to - from) % step != 0 ? 1 : 0)};
    return call.emit("aten::slice.Tensor", {x, signed_of(axis), from, to, step}, sizes, x.type);
  }
  std::vector<std::int64_t> rows;
  call.emitter().spend(2 * count);
  const std::int64_t to = clamped(end, -1, count - 1);
  for (std::int64_t i = clamped(start, -1, count - 1); i > to; i += std::max(step, -count - 1))
    rows.push_back(i);
  return rows_of_value(call, x, axis, rows);
}

Values slice(OnnxCall& call) {
  OnnxValue x = call.input(0);
  const auto starts = call.listed("starts", 1), ends = call.listed("ends", 2);
  if (!starts || !ends || starts->size() != ends->size()) call.problem("does not say which part it takes");
  std::vector<std::int64_t> axes(starts->size()), steps(starts->size(), 1);
  std::iota(axes.begin(), axes.end(), 0);
  if (const auto given = call.listed("axes", 3)) axes = *given;
  if (const auto given = call.listed("steps", 4)) steps = *given;
  if (axes.size() != starts->size() || steps.size() != starts->size())
    call.problem("does not say which part it takes");
  for (std::size_t i = 0; i < axes.size(); ++i)
    x = sliced(call, x, dimension_of(axes[i], x.rank()), (*starts)[i], (*ends)[i], steps[i]);
  return {x};
}

/// Numbers of the same places of every sample, as PyTorch writes a tensor with other strides: as a choice of places in the
/// row of all numbers. nullopt: not such a choice.
std::optional<OnnxValue> chosen_in_each_sample(OnnxCall& call) {
  const auto& indices = call.input(1).indices;
  const auto& samples = call.input(0).row_of;
  if (!indices || !samples || samples->sizes.front() != OnnxSize{1, true}) return std::nullopt;
  const std::int64_t each = elements_of(samples->sizes).count;
  const at::Tensor places = indices->base.reshape({-1}).contiguous();
  if (indices->per_sample != each || places.lt(0).logical_or(places.ge(each)).any().item<bool>())
    return std::nullopt;
  const OnnxSizes& sizes = call.input(1).sizes;
  if (places.numel() == each && at::equal(places, at::arange(each, places.options())))
    return reshaped(call, *samples, sizes);
  const OnnxValue rows = reshaped(call, *samples, {{1, true}, {each}});
  const auto* first = places.data_ptr<std::int64_t>();
  return reshaped(call, rows_of_value(call, rows, 1, {first, first + places.numel()}), sizes);
}

Values gather(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::size_t axis = dimension_of(call.integer("axis", 0), x.rank());
  const OnnxValue& places = call.input(1);
  if (x.is_constant() && x.rank() == 2 && axis == 0 && places.computed != nullptr &&
      places.type == at::kLong) {
    OnnxSizes sizes = places.sizes;  // vectors of words
    sizes.push_back(x.sizes[1]);
    call.name_weight(x, "weight");
    return {call.emit("aten::embedding", {x, places}, sizes, x.type)};
  }
  if (std::optional<OnnxValue> chosen = chosen_in_each_sample(call)) return {std::move(*chosen)};
  if (x.rank() == 1 && places.computed != nullptr && places.type == at::kLong)
    return {call.emit("aten::take", {x, places}, places.sizes, x.type)};
  const at::Tensor& indices = call.constant(1);
  if (x.sizes[axis].batch) call.problem("chooses among the samples of a batch");
  if (indices.scalar_type() != at::kLong) call.problem("chooses by what are no whole numbers");
  const std::int64_t count = x.sizes[axis].count;
  const at::Tensor wrapped = at::where(indices.lt(0), indices + count, indices);
  if (wrapped.lt(0).logical_or(wrapped.ge(count)).any().item<bool>())
    call.problem("chooses what is not among {} of {}", count, text_of(x.sizes));
  OnnxSizes sizes(x.sizes.begin(), x.sizes.begin() + signed_of(axis));
  for (const std::int64_t size : indices.sizes()) sizes.push_back({size});
  sizes.insert(sizes.end(), x.sizes.begin() + signed_of(axis) + 1, x.sizes.end());
  if (indices.dim() == 0)
    return {call.emit("aten::select.int", {x, signed_of(axis), wrapped.item<std::int64_t>()}, sizes, x.type)};
  const at::Tensor flat = wrapped.reshape({-1}).contiguous();
  const auto* first = flat.data_ptr<std::int64_t>();
  const OnnxValue rows = rows_of_value(call, x, axis, {first, first + flat.numel()});
  return {reshaped(call, rows, sizes)};
}

/// Along one dimension, each number by a place of its own; the other dimensions go together.
Values gather_elements(OnnxCall& call) {
  const OnnxValue &x = call.input(0), &places = call.input(1);
  const std::size_t axis = dimension_of(call.integer("axis", 0), x.rank());
  if (x.sizes[axis].batch) call.problem("chooses among the samples of a batch");
  if (places.rank() != x.rank() || places.type != at::kLong)
    call.problem("has places of {} in {}", text_of(places.sizes), text_of(x.sizes));
  if (!places.is_constant())
    return {call.emit("aten::gather", {x, signed_of(axis), places, false}, places.sizes, x.type)};
  const std::int64_t count = x.sizes[axis].count;
  const at::Tensor known = at::where(places.constant.lt(0), places.constant + count, places.constant);
  if (known.lt(0).logical_or(known.ge(count)).any().item<bool>())
    call.problem("has places outside of {}", text_of(x.sizes));
  return {
      call.emit("aten::gather", {x, signed_of(axis), call.constant_of(known), false}, places.sizes, x.type)};
}

/// indices[..., k] for each k: where in data's first dimensions.
Values places_in(OnnxCall& call, const OnnxValue& data, const at::Tensor& indices) {
  if (indices.dim() < 1 || indices.scalar_type() != at::kLong || indices.size(-1) < 1 ||
      indices.size(-1) > signed_of(data.rank()))
    call.problem("has places of {} in {}", text_of(fixed_sizes(indices.sizes().vec())), text_of(data.sizes));
  Values places;
  for (std::int64_t k = 0; k < indices.size(-1); ++k) {
    const at::Tensor place = indices.select(-1, k).contiguous();
    const OnnxSize size = data.sizes[static_cast<std::size_t>(k)];
    if (size.batch) call.problem("chooses among the samples of a batch");
    if (place.lt(-size.count).logical_or(place.ge(size.count)).any().item<bool>())
      call.problem("has places outside of {}", text_of(data.sizes));
    places.push_back(call.constant_of(place));
  }
  return places;
}

/// Of data[indices[..., :]].
OnnxSizes sizes_at_places(const OnnxValue& data, const at::Tensor& indices) {
  OnnxSizes sizes = fixed_sizes(indices.sizes().slice(0, indices.dim() - 1).vec());
  sizes.insert(sizes.end(), data.sizes.begin() + indices.size(-1), data.sizes.end());
  return sizes;
}

Values gather_nd(OnnxCall& call) {
  const OnnxValue& data = call.input(0);
  const at::Tensor& indices = call.constant(1);
  if (call.integer("batch_dims", 0) != 0)
    call.problem("chooses in each sample apart, which whence does not read");
  const Values places = places_in(call, data, indices);
  return {call.emit("aten::index.Tensor", {data, places}, sizes_at_places(data, indices), data.type)};
}

/// data with data[indices[..., :]] = updates
Values scatter_nd(OnnxCall& call) {
  const OnnxValue &data = call.input(0), &updates = call.input(2);
  const at::Tensor& indices = call.constant(1);
  if (call.text("reduction", "none") != "none")
    call.problem("adds what it puts in, which whence does not read");
  const Values places = places_in(call, data, indices);
  const OnnxSizes wanted = sizes_at_places(data, indices);
  if (updates.sizes != wanted || updates.type != data.type)
    call.problem("puts {} where {} is needed", text_of(updates.sizes), text_of(wanted));
  return {call.emit("aten::index_put", {data, places, updates, false}, data.sizes, data.type)};
}

/// The number of the row that stands at place `i` of a padded dimension.
std::int64_t mirrored(const OnnxCall& call, const std::string& mode, std::int64_t i, std::int64_t count) {
  if (mode == "edge") return std::clamp(i, std::int64_t{0}, count - 1);
  if (mode == "wrap") return ((i % count) + count) % count;
  if (mode != "reflect") call.problem("has mode '{}'", mode);
  if (count == 1) return 0;
  const std::int64_t period = 2 * (count - 1), place = ((i % period) + period) % period;
  return place < count ? place : period - place;
}

/// begin, end of each dimension.
std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>> pads_of(const OnnxCall& call,
                                                                        std::size_t rank) {
  const auto pads = call.listed("pads", 1);
  if (!pads) call.problem("does not say how much it pads");
  std::vector<std::int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (call.has(3)) axes = call.whole_numbers(3);
  if (pads->size() != 2 * axes.size())
    call.problem("has {} numbers as pads for {} dimensions", pads->size(), axes.size());
  std::vector<std::int64_t> begin(rank, 0), end(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    constexpr std::int64_t most = 1 << 20;
    const std::int64_t before = (*pads)[i], after = (*pads)[i + axes.size()];
    if (std::max(before, after) > most || std::min(before, after) < -most)
      call.problem("pads by more than {}", most);
    begin[dimension_of(axes[i], rank)] = before;
    end[dimension_of(axes[i], rank)] = after;
  }
  return {begin, end};
}

Values pad_onnx(OnnxCall& call) {
  OnnxValue x = call.input(0);
  const auto [begin, end] = pads_of(call, x.rank());
  const std::string mode = call.text("mode", "constant");
  double value = call.real("value", 0);
  if (call.has(2)) {
    if (call.constant(2).numel() != 1) call.problem("pads with more than one number");
    value = call.constant(2).item<double>();
  }
  OnnxSizes sizes = x.sizes;
  std::vector<std::int64_t> reversed;
  bool trailing = true;  // ATen's list ends with the first dimension that is padded
  for (std::size_t i = 0; i < x.rank(); ++i) {
    const bool none = begin[i] == 0 && end[i] == 0;
    if (!none && sizes[i].batch) call.problem("adds samples to a batch");
    sizes[i].count += begin[i] + end[i];
    if (sizes[i].count < 1) call.problem("takes more away than there is");
    trailing = trailing && none;
    if (!trailing) reversed.insert(reversed.begin(), {begin[i], end[i]});
  }
  if (reversed.empty()) return {x};
  if (mode == "constant") return {call.emit("aten::constant_pad_nd", {x, reversed, value}, sizes, x.type)};
  for (std::size_t i = 0; i < x.rank(); ++i) {
    if (begin[i] == 0 && end[i] == 0) continue;
    std::vector<std::int64_t> rows;
    call.emitter().spend(2 * sizes[i].count);
    for (std::int64_t k = -begin[i]; k < x.sizes[i].count + end[i]; ++k)
      rows.push_back(mirrored(call, mode, k, x.sizes[i].count));
    x = rows_of_value(call, x, i, rows);
  }
  return {x};
}

Values triangle(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  if (x.rank() < 2) call.problem("takes the triangle of {}", text_of(x.sizes));
  const std::int64_t k = call.has(1) ? call.constant(1).item<std::int64_t>() : 0;
  return {call.emit(call.integer("upper", 1) != 0 ? "aten::triu" : "aten::tril", {x, k}, x.sizes, x.type)};
}

Values running_sum(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  if (call.constant(1).numel() != 1) call.problem("sums over more than one dimension");
  const std::size_t axis = dimension_of(call.constant(1).item<std::int64_t>(), x.rank());
  if (call.integer("exclusive", 0) != 0 || call.integer("reverse", 0) != 0) call.problem("sums backwards");
  if (x.sizes[axis].batch) call.problem("sums over the samples of a batch");
  return {call.emit("aten::cumsum", {x, signed_of(axis), std::nullopt}, x.sizes, x.type)};
}

constexpr OnnxEntry kChoices[] = {
    {"Slice", slice},  {"Gather", gather},  {"GatherND", gather_nd}, {"ScatterND", scatter_nd},
    {"Pad", pad_onnx}, {"Trilu", triangle}, {"CumSum", running_sum}, {"GatherElements", gather_elements},
};

}  // namespace

std::span<const OnnxEntry> onnx_choices() { return kChoices; }

}  // namespace whence::interchange
