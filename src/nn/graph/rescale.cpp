// DeepLIFT's rescale rule: by what the distance from a baseline is multiplied on its way to the output.
#include "nn/graph/execute.h"
#include "nn/graph/sharing.h"
#include "whence/nn/graph/walk_back.h"

namespace whence::nn {
namespace {

using namespace sharing;

/// Distances below this share of the values: rounding would spoil the ratio of two differences, and the slope is as good.
constexpr double kNear = 1e-4;

Tensor output_of(const RuleCall& call, const Tensors& inputs) {
  return execute(call.layer, inputs, {}, /*last=*/true);
}

/// Of a function of each value alone: rise / way.
Tensors ratio(const RuleCall& call, const Tensors& baseline) {
  const Tensor &x = call.inputs.front(), &from = baseline.front();
  const Tensor way = x - from;
  const Tensor near = way.abs() <= kNear * at::maximum(x.abs(), from.abs());
  const Tensor rise = output_of(call, {x}) - output_of(call, {from});
  const Tensor slope = rise / at::where(near, at::ones_like(way), way);
  return {at::where(near, follow_gradient(call).front(), call.relevance * slope)};
}

/// A window's rise goes by way of the larger of both maxima: up to it from the place of one maximum, down from the other's.
Tensors of_maxima(const RuleCall& call, const MaxPool2d& op, const Tensors& baseline) {
  const Tensor &x = call.inputs.front(), &from = baseline.front();
  const auto largest = [&](const Tensor& values) {
    return at::max_pool2d_with_indices(values, op.kernel, op.stride, op.padding, 1, op.ceil);
  };
  const auto [after, place_after] = largest(x);
  const auto [before, place_before] = largest(from);
  const Tensor top = at::maximum(after, before);
  const Tensor gains =
      at::zeros({x.size(0), x.size(1), x.size(2) * x.size(3)}, x.options())
          .scatter_add(2, place_after.flatten(2), (call.relevance * (top - before)).flatten(2))
          .scatter_add(2, place_before.flatten(2), (call.relevance * (after - top)).flatten(2))
          .view_as(x.contiguous());
  const Tensor way = x - from, still = way == 0;
  return {at::where(still, follow_gradient(call).front(), gains / at::where(still, at::ones_like(way), way))};
}

/// A point of Gauss and Legendre's rule with three points, in 0 .. 1.
struct Point {
  double place, weight;
};
constexpr double kOuter = 0.11270166537925831;  // 1/2 - sqrt(3/20)
constexpr Point kPoints[] = {{kOuter, 5.0 / 18}, {0.5, 8.0 / 18}, {1 - kOuter, 5.0 / 18}};
/// Pieces of the way, each with three points.
constexpr int kPieces = 32;

/// Of any function: the mean of its slopes on the straight way. Exact for products of two inputs.
Tensors mean_slope(const RuleCall& call, const Tensors& baseline) {
  Tensors sum = filled_like(call.inputs, 0);
  for (int piece = 0; piece < kPieces; ++piece)
    for (const Point& point : kPoints) {
      Tensors between;
      for (std::size_t i = 0; i < baseline.size(); ++i)
        between.push_back(baseline[i] + (call.inputs[i] - baseline[i]) * ((piece + point.place) / kPieces));
      sum = plus(sum, follow_gradient({call.network, call.layer, between, call.relevance}),
                 point.weight / kPieces);
    }
  return sum;
}

Tensors multipliers(const RuleCall& call, const Tensors& baseline) {
  if (const auto* pool = std::get_if<MaxPool2d>(&call.layer.op)) return of_maxima(call, *pool, baseline);
  const Passage passage = operation_of(call.layer.op).passage;
  const bool alone = !std::holds_alternative<LayerNorm>(call.layer.op);
  if (passage == Passage::activates && alone) return ratio(call, baseline);
  if (passage == Passage::activates || passage == Passage::gates || passage == Passage::normalises)
    return mean_slope(call, baseline);
  return follow_gradient(call);
}

}  // namespace

Rule rescale_rule(std::vector<at::Tensor> baseline) {
  return {"rescale", [baseline = std::move(baseline)](const RuleCall& call) {
            Tensors from;
            for (std::size_t i = 0; i < call.inputs.size(); ++i)
              from.push_back(baseline.at(call.layer.inputs[i]).expand_as(call.inputs[i]));
            return multipliers(call, from);
          }};
}

}  // namespace whence::nn
