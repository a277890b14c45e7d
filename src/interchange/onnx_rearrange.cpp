#include "interchange/onnx_rearrange.h"

namespace whence::interchange {
namespace {

/// Where a dimension of the base goes that is not 1, in the base's order: then only sizes change, no number moves.
bool moves_nothing(const OnnxOrder& order) {
  std::int64_t last = -1;
  for (const std::int64_t dimension : order.dimensions) {
    if (order.base.sizes[static_cast<std::size_t>(dimension)] == OnnxSize{1}) continue;
    if (dimension < last) return false;
    last = dimension;
  }
  return true;
}

}  // namespace

OnnxValue reshaped(OnnxCall& call, const OnnxValue& x, const OnnxSizes& sizes) {
  const bool turned = x.order != nullptr && !x.order->flat;
  const OnnxValue& source = turned && moves_nothing(*x.order) ? x.order->base : x;
  if (sizes == source.sizes) return source;
  const bool flattens =
      sizes.size() == 2 && source.rank() > 2 && sizes[0] == source.sizes[0] &&
      std::none_of(source.sizes.begin() + 1, source.sizes.end(), [](const OnnxSize& s) { return s.batch; });
  if (flattens) {
    OnnxValue flat = call.emit("aten::flatten.using_ints", {source, 1, -1}, sizes, x.type);
    if (source.order != nullptr && source.order->dimensions.front() == 0) {
      OnnxOrder order = *source.order;
      order.flat = true;
      flat.order = std::make_shared<OnnxOrder>(std::move(order));
    }
    return flat;
  }
  std::vector<std::int64_t> counts;
  for (const OnnxSize& size : sizes) counts.push_back(size.batch ? -1 : size.count);
  if (std::count(counts.begin(), counts.end(), -1) > 1)
    call.problem("makes {} of {}", text_of(sizes), text_of(x.sizes));
  OnnxValue result = call.emit("aten::reshape", {source, counts}, sizes, x.type);
  if (sizes.size() == 1 && !result.is_constant()) result.row_of = std::make_shared<OnnxValue>(source);
  return result;
}

OnnxValue permuted(OnnxCall& call, const OnnxValue& x, const std::vector<std::int64_t>& dimensions) {
  if (dimensions.size() != x.rank())
    call.problem("orders {} dimensions of {}", dimensions.size(), text_of(x.sizes));
  const bool turned = x.order != nullptr && !x.order->flat;
  OnnxOrder order{turned ? x.order->base : x, {}};
  order.base.order = nullptr;
  OnnxSizes sizes;
  std::vector<bool> seen(x.rank(), false);
  bool same = true;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const std::size_t from = dimension_of(dimensions[i], x.rank());
    if (seen[from]) call.problem("orders dimension {} twice", from);
    seen[from] = true;
    sizes.push_back(x.sizes[from]);
    order.dimensions.push_back(turned ? x.order->dimensions[from] : static_cast<std::int64_t>(from));
    same = same && order.dimensions.back() == static_cast<std::int64_t>(i);
  }
  if (same) return order.base;
  OnnxValue result = call.emit("aten::permute", {order.base, order.dimensions}, sizes, x.type);
  if (!result.is_constant()) result.order = std::make_shared<OnnxOrder>(std::move(order));
  return result;
}

OnnxValue with_batch(OnnxCall& call, const OnnxValue& x) {
  OnnxSizes sizes = x.sizes;
  if (sizes.empty() || sizes.front().batch || call.emitter().fixed_batch != sizes.front().count) return x;
  if (sizes.front().count != 1)
    call.problem("has other numbers for each sample of a batch of {}", sizes.front().count);
  sizes.front() = {1, true};
  return call.emit("aten::expand", {x, sizes, false}, sizes, x.type);
}

}  // namespace whence::interchange
