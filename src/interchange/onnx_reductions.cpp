// Sums, means and others over dimensions.
#include <numeric>

#include "interchange/onnx_operators.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

/// What a reduction is over.
struct Reduced {
  OnnxValue x;
  std::vector<std::int64_t> dimensions;
  bool keep = true;
  OnnxSizes sizes;  ///< of the result
};

/// Whether the dimensions that are left stand in the same order in `order.base`, so that nothing need be turned.
bool keeps_order(const OnnxOrder& order, const std::vector<bool>& reduced) {
  std::int64_t last = -1;
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (reduced[i]) continue;
    if (order.dimensions[i] < last) return false;
    last = order.dimensions[i];
  }
  return true;
}

/// nullopt: nothing is reduced.
std::optional<Reduced> reduced_by(const OnnxCall& call) {
  Reduced result;
  result.x = call.input(0);
  result.keep = call.integer("keepdims", 1) != 0;
  std::optional<std::vector<std::int64_t>> axes = call.listed("axes", 1);
  if (!axes || axes->empty()) {
    if (call.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
    axes.emplace(result.x.rank());
    std::iota(axes->begin(), axes->end(), 0);
  }
  std::vector<bool> reduced(result.x.rank(), false);
  for (const std::int64_t axis : *axes) reduced[dimension_of(axis, result.x.rank())] = true;
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (reduced[i] && result.x.sizes[i].batch)
      call.problem("reduces the samples of a batch, so that each changes the others");
    if (!reduced[i]) result.sizes.push_back(result.x.sizes[i]);
    if (reduced[i] && result.keep) result.sizes.push_back({1});
    if (reduced[i]) result.dimensions.push_back(static_cast<std::int64_t>(i));
  }
  if (const auto order = result.x.order;
      order && !order->flat && !result.keep && keeps_order(*order, reduced)) {
    for (std::int64_t& dimension : result.dimensions)
      dimension = order->dimensions[static_cast<std::size_t>(dimension)];
    result.x = OnnxValue(order->base);
  }
  return result;
}

template <AtenName name>
Values reduced(OnnxCall& call) {
  const std::optional<Reduced> r = reduced_by(call);
  if (!r || r->dimensions.empty()) return {call.input(0)};
  return {call.emit(name.letters, {r->x, r->dimensions, r->keep}, r->sizes, r->x.type)};
}

template <int p>
Values norm(OnnxCall& call) {
  const std::optional<Reduced> r = reduced_by(call);
  if (!r || r->dimensions.empty()) return {call.emit("aten::abs", {call.input(0)}, call.input(0).sizes)};
  return {call.emit("aten::linalg_vector_norm", {r->x, static_cast<double>(p), r->dimensions, r->keep},
                    r->sizes)};
}

Values sum_of_squares(OnnxCall& call) {
  const std::optional<Reduced> r = reduced_by(call);
  const OnnxValue& x = r ? r->x : call.input(0);
  const OnnxValue square = call.emit("aten::mul.Tensor", {x, x}, x.sizes, x.type);
  if (!r || r->dimensions.empty()) return {square};
  return {call.emit("aten::sum.dim_IntList", {square, r->dimensions, r->keep}, r->sizes, x.type)};
}

Values log_of_sum(OnnxCall& call) {
  const OnnxValue sum = reduced<"aten::sum.dim_IntList">(call).front();
  return {call.emit("aten::log", {sum}, sum.sizes)};
}

/// One dimension after the other, the last first.
Values product_of(OnnxCall& call) {
  const std::optional<Reduced> r = reduced_by(call);
  if (!r) return {call.input(0)};
  OnnxValue result = r->x;
  std::vector<std::int64_t> dimensions = r->dimensions;
  std::sort(dimensions.rbegin(), dimensions.rend());
  for (const std::int64_t dimension : dimensions) {
    OnnxSizes sizes = result.sizes;
    if (r->keep)
      sizes[static_cast<std::size_t>(dimension)] = {1};
    else
      sizes.erase(sizes.begin() + dimension);
    result = call.emit("aten::prod.dim_int", {result, dimension, r->keep}, sizes, result.type);
  }
  return {result};
}

constexpr OnnxEntry kReductions[] = {
    {"ReduceMean", reduced<"aten::mean.dim">},
    {"ReduceSum", reduced<"aten::sum.dim_IntList">},
    {"ReduceMax", reduced<"aten::amax">},
    {"ReduceMin", reduced<"aten::amin">},
    {"ReduceLogSumExp", reduced<"aten::logsumexp">},
    {"ReduceL1", norm<1>},
    {"ReduceL2", norm<2>},
    {"ReduceSumSquare", sum_of_squares},
    {"ReduceLogSum", log_of_sum},
    {"ReduceProd", product_of},
};

}  // namespace

std::span<const OnnxEntry> onnx_reductions() { return kReductions; }

}  // namespace whence::interchange
