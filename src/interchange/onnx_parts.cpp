// Dividing tensors and joining them.
#include "interchange/onnx_operators.h"
#include "interchange/onnx_rearrange.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

std::int64_t signed_of(std::size_t i) { return static_cast<std::int64_t>(i); }

/// A part of a dimension, from `begin` on.
OnnxValue part_of_value(OnnxCall& call, const OnnxValue& x, std::size_t axis, std::int64_t begin,
                        std::int64_t count) {
  OnnxSizes sizes = x.sizes;
  sizes[axis] = {count};
  return call.emit("aten::slice.Tensor", {x, signed_of(axis), begin, begin + count, 1}, sizes, x.type);
}

Values concat(OnnxCall& call) {
  std::vector<OnnxValue> parts = call.all();
  const std::size_t axis = dimension_of(call.integer("axis", call.opset() < 4 ? 1 : 0), parts.front().rank());
  const bool batch =
      std::any_of(parts.begin(), parts.end(), [](const OnnxValue& v) { return has_batch(v.sizes); });
  OnnxSizes sizes;
  at::ScalarType type = parts.front().type;
  for (OnnxValue& part : parts) {
    if (batch && axis != 0 && part.is_constant()) part = with_batch(call, part);
    if (part.rank() <= axis || part.type != type) call.problem("joins tensors of different types or ranks");
    if (sizes.empty()) {
      sizes = part.sizes;
      continue;
    }
    OnnxSizes rest = part.sizes;
    rest[axis] = sizes[axis];
    if (rest != sizes) call.problem("joins {} and {}", text_of(sizes), text_of(part.sizes));
    sizes[axis] = plus(sizes[axis], part.sizes[axis]);
  }
  if (parts.size() == 1) return parts;
  return {call.emit("aten::cat", {parts, signed_of(axis)}, sizes, type)};
}

/// Parts of these sizes, one behind the other.
Values parts_of_value(OnnxCall& call, const OnnxValue& x, std::size_t axis,
                      const std::vector<std::int64_t>& counts) {
  const std::int64_t whole = x.sizes[axis].count;
  Values results;
  std::int64_t begin = 0;
  for (const std::int64_t count : counts) {
    if (count < 0 || count > whole - begin) call.problem("has parts that do not fit {}", whole);
    results.push_back(part_of_value(call, x, axis, begin, count));
    begin += count;
  }
  if (begin != whole) call.problem("has parts that do not fit {}", whole);
  return results;
}

/// Parts of one size, of which the last may be smaller.
std::vector<std::int64_t> equal_counts(std::int64_t whole, std::int64_t each) {
  std::vector<std::int64_t> counts;
  for (std::int64_t left = whole; left > 0; left -= each) counts.push_back(std::min(each, left));
  return counts;
}

/// The dimension that is divided.
std::size_t divided_axis(const OnnxCall& call, const OnnxValue& x) {
  const std::size_t axis = dimension_of(call.integer("axis", 0), x.rank());
  if (x.sizes[axis].batch) call.problem("divides the samples of a batch");
  return axis;
}

Values split(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::size_t axis = divided_axis(call, x);
  if (const auto given = call.listed("split", 1)) return parts_of_value(call, x, axis, *given);
  const std::int64_t whole = x.sizes[axis].count;
  const std::int64_t parts = call.integer("num_outputs", signed_of(call.outputs()));
  if (parts < 1 || parts > whole) call.problem("makes {} parts of {}", parts, whole);
  return parts_of_value(call, x, axis, equal_counts(whole, (whole + parts - 1) / parts));
}

Values split_to_sequence(OnnxCall& call) {
  const OnnxValue& x = call.input(0);
  const std::size_t axis = divided_axis(call, x);
  const std::int64_t whole = x.sizes[axis].count;
  call.emitter().spend(whole);
  const bool listed = call.has(1) && call.constant(1).dim() == 1;
  const std::int64_t each = call.has(1) && !listed ? call.constant(1).item<std::int64_t>() : 1;
  if (each < 1) call.problem("makes parts of {}", each);
  OnnxValue parts;
  parts.sequence = parts_of_value(call, x, axis, listed ? call.whole_numbers(1) : equal_counts(whole, each));
  if (parts.sequence.empty()) call.problem("makes no parts");
  if (call.has(1) || call.integer("keepdims", 1) != 0) return {parts};
  OnnxSizes sizes = x.sizes;
  sizes.erase(sizes.begin() + signed_of(axis));
  for (OnnxValue& part : parts.sequence) part = reshaped(call, part, sizes);
  return {parts};
}

Values sequence_at(OnnxCall& call) {
  const Values& parts = call.sequence(0);
  if (call.constant(1).numel() != 1) call.problem("takes more than one part of a sequence");
  const std::int64_t given = call.constant(1).item<std::int64_t>(), count = signed_of(parts.size());
  const std::int64_t place = given < 0 ? given + count : given;
  if (place < 0 || place >= count) call.problem("takes part {} of {}", given, count);
  return {parts[static_cast<std::size_t>(place)]};
}

constexpr OnnxEntry kParts[] = {
    {"Concat", concat},
    {"Split", split},
    {"SplitToSequence", split_to_sequence},
    {"SequenceAt", sequence_at},
};

}  // namespace

std::span<const OnnxEntry> onnx_parts() { return kParts; }

}  // namespace whence::interchange
