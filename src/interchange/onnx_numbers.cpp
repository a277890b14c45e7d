// Arithmetic on shapes in which the number of samples stands.
#include <functional>

#include "interchange/onnx_operators.h"

namespace whence::interchange {
namespace {

OnnxValue numbers_value(OnnxSizes numbers, bool scalar = false) {
  OnnxValue value;
  value.type = at::kLong;
  if (!scalar) value.sizes = {{static_cast<std::int64_t>(numbers.size())}};
  value.numbers = std::move(numbers);
  return value;
}

/// Numbers, or a constant as such.
OnnxSizes as_numbers(const OnnxCall& call, std::size_t i) {
  const OnnxValue& value = call.input(i);
  if (!value.numbers && value.is_constant() && value.constant.is_floating_point() &&
      value.constant.dim() <= 1) {
    std::vector<std::int64_t> whole;  // sizes that took the way over float32
    for (std::int64_t k = 0; k < value.constant.numel(); ++k) {
      const double number = value.constant.reshape({-1})[k].item<double>();
      if (number != std::floor(number) || std::abs(number) > 1e12)
        call.problem("multiplies the number of samples by a broken number");
      whole.push_back(static_cast<std::int64_t>(number));
    }
    return fixed_sizes(whole);
  }
  return call.numbers(i);
}

bool is_scalar(const OnnxValue& value) { return value.sizes.empty(); }

OnnxValue pairwise(const OnnxCall& call,
                   const std::function<OnnxSize(const OnnxSize&, const OnnxSize&)>& combine) {
  const OnnxSizes a = as_numbers(call, 0), b = as_numbers(call, 1);
  const std::size_t count = std::max(a.size(), b.size());
  if ((a.size() != count && a.size() != 1) || (b.size() != count && b.size() != 1))
    call.problem("combines lists of {} and {} sizes", a.size(), b.size());
  OnnxSizes result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(combine(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]));
  return numbers_value(std::move(result), is_scalar(call.input(0)) && is_scalar(call.input(1)));
}

/// 1 or 0.
OnnxSize equal_sizes(const OnnxSize& a, const OnnxSize& b) {
  if (a.batch == b.batch) return {a.count == b.count ? 1 : 0};
  if ((a.batch && b.count <= 0) || (b.batch && a.count <= 0)) return {0};  // there is at least one sample
  throw OnnxProblem("compares the number of samples with a fixed one");
}

OnnxValue chosen_numbers(const OnnxCall& call) {
  const at::Tensor condition = call.constant(0).to(at::kBool).reshape({-1}).contiguous();
  const OnnxSizes a = as_numbers(call, 1), b = as_numbers(call, 2);
  const std::size_t count = std::max({static_cast<std::size_t>(condition.numel()), a.size(), b.size()});
  const auto at_index = [&](const OnnxSizes& list, std::size_t i) {
    if (list.size() != count && list.size() != 1) call.problem("chooses among lists of different lengths");
    return list[list.size() == 1 ? 0 : i];
  };
  if (condition.numel() != 1 && condition.numel() != static_cast<std::int64_t>(count))
    call.problem("chooses among lists of different lengths");
  OnnxSizes result;
  for (std::size_t i = 0; i < count; ++i) {
    const bool first = condition.data_ptr<bool>()[condition.numel() == 1 ? 0 : i];
    result.push_back(at_index(first ? a : b, i));
  }
  return numbers_value(std::move(result));
}

OnnxValue gathered_numbers(const OnnxCall& call) {
  const OnnxSizes list = call.numbers(0);
  OnnxSizes result;
  for (const std::int64_t index : call.whole_numbers(1))
    result.push_back(list[dimension_of(index, list.size())]);
  return numbers_value(std::move(result), is_scalar(call.input(1)));
}

OnnxValue joined_numbers(const OnnxCall& call) {
  OnnxSizes result;
  for (std::size_t i = 0; i < call.inputs(); ++i) {
    const OnnxSizes part = call.numbers(i);
    result.insert(result.end(), part.begin(), part.end());
  }
  return numbers_value(std::move(result));
}

/// Of a list: the one dimension, from starts[0] to ends[0] in steps[0].
OnnxValue sliced_numbers(const OnnxCall& call) {
  const OnnxSizes list = call.numbers(0);
  const auto starts = call.listed("starts", 1), ends = call.listed("ends", 2),
             steps = call.listed("steps", 4);
  if (!starts || !ends || starts->size() != 1 || ends->size() != 1)
    call.problem("takes no single part of a list");
  const std::int64_t step = steps && !steps->empty() ? steps->front() : 1;
  if (step != 1) call.problem("takes a part of a shape in steps of {}", step);
  const auto size = static_cast<std::int64_t>(list.size());
  const auto place = [&](std::int64_t i) { return std::clamp(i < 0 ? i + size : i, std::int64_t{0}, size); };
  const std::int64_t begin = place(starts->front()), end = std::max(begin, place(ends->front()));
  return numbers_value(OnnxSizes(list.begin() + begin, list.begin() + end));
}

OnnxValue multiplied_numbers(const OnnxCall& call) {
  OnnxSize product;
  for (const OnnxSize& size : call.numbers(0)) product = times(product, size);
  const bool kept = call.integer("keepdims", 1) != 0;
  return numbers_value({product}, !kept);
}

/// The same numbers as a list of one or as a single number.
OnnxValue reshaped_numbers(const OnnxCall& call, std::string_view operation) {
  OnnxSizes list = call.numbers(0);
  if (operation == "Reshape") {
    const std::size_t rank = call.whole_numbers(1).size();
    if (rank > 1) call.problem("makes a matrix of sizes");
    return numbers_value(std::move(list), rank == 0);
  }
  if (operation == "Unsqueeze" && !is_scalar(call.input(0))) call.problem("makes a matrix of sizes");
  if (operation == "Squeeze" && list.size() != 1) call.problem("takes a dimension away that is not 1");
  return numbers_value(std::move(list), operation == "Squeeze");
}

}  // namespace

std::optional<OnnxValue> on_numbers(OnnxCall& call, std::string_view operation) {
  if (operation == "SequenceAt") return std::nullopt;
  bool any = false;
  for (std::size_t i = 0; i < call.inputs(); ++i) any = any || (call.has(i) && call.input(i).numbers);
  if (!any) return std::nullopt;
  if (operation == "Mul") return pairwise(call, times);
  if (operation == "Add") return pairwise(call, plus);
  if (operation == "Sub")
    return pairwise(call, [](const OnnxSize& a, const OnnxSize& b) { return plus(a, times(b, {-1})); });
  if (operation == "Div") return pairwise(call, divided);
  if (operation == "Equal") return pairwise(call, equal_sizes);
  if (operation == "Where" && !call.input(0).numbers) return chosen_numbers(call);
  if (operation == "Gather" && call.input(0).numbers) return gathered_numbers(call);
  if (operation == "Concat") return joined_numbers(call);
  if (operation == "Slice") return sliced_numbers(call);
  if (operation == "ReduceProd") return multiplied_numbers(call);
  if (operation == "Reshape" && !call.input(0).numbers) return std::nullopt;
  if (operation == "Squeeze" || operation == "Unsqueeze" || operation == "Reshape")
    return reshaped_numbers(call, operation);
  if (operation == "Cast" || operation == "Identity" || operation == "Floor" || operation == "Ceil")
    return call.input(0);
  return std::nullopt;
}

}  // namespace whence::interchange
