// Windows of an image that become one pixel.
#include "nn/ops/operation_row.h"

namespace whence::nn {
namespace {

/// A window that hangs over the edge must begin inside the image or its padding in front.
template <class Pool>
std::int64_t pooled_side(const Pool& op, const ShapeQuery& query, std::size_t dimension) {
  const std::int64_t whole = query.slide(dimension, op.kernel, op.stride, op.padding);
  const std::int64_t size = query.input()[dimension];
  const bool more = op.ceil && (whole - 1) * op.stride + op.kernel < size + 2 * op.padding &&
                    whole * op.stride < size + op.padding;
  return whole + (more ? 1 : 0);
}

template <class Pool>
Shape pooled_shape(const Pool& op, const ShapeQuery& query) {
  query.require_image();
  query.require_window(op.kernel, op.stride, op.padding);
  query.require(2 * op.padding <= op.kernel, "padding {} is more than half of kernel {}", op.padding,
                op.kernel);
  return {query.input()[0], pooled_side(op, query, 1), pooled_side(op, query, 2)};
}

}  // namespace

template <>
struct Traits<MaxPool2d> : Defaults<MaxPool2d> {
  static constexpr std::string_view name = "MaxPool2d";
  static constexpr Passage passage = Passage::copies;
  static constexpr ReluMerge relu = ReluMerge::in_front;

  static Shape shape(const MaxPool2d& op, const ShapeQuery& query) { return pooled_shape(op, query); }
  static at::Tensor forward(const MaxPool2d& op, const LayerCall& call) {
    // The ReLU of the maxima is the maximum of the ReLUs, and there are fewer of them.
    at::Tensor largest = at::max_pool2d(call.x(), op.kernel, op.stride, op.padding, 1, op.ceil);
    return call.relu ? at::relu_(largest) : largest;
  }
  static std::string torchscript(const MaxPool2d& op, const ScriptText& text) {
    return fmt::format("torch.max_pool2d({}, {}, {}, {}, [1, 1], {})", text.input(), text.pair(op.kernel),
                       text.pair(op.stride), text.pair(op.padding), text.boolean(op.ceil));
  }
};
template struct Row<MaxPool2d>;

template <>
struct Traits<AvgPool2d> : Defaults<AvgPool2d> {
  static constexpr std::string_view name = "AvgPool2d";
  static constexpr Passage passage = Passage::adds;

  static Shape shape(const AvgPool2d& op, const ShapeQuery& query) { return pooled_shape(op, query); }
  static at::Tensor forward(const AvgPool2d& op, const LayerCall& call) {
    return at::avg_pool2d(call.x(), op.kernel, op.stride, op.padding, op.ceil, op.counts_padding);
  }
  static std::string torchscript(const AvgPool2d& op, const ScriptText& text) {
    return fmt::format("torch.avg_pool2d({}, {}, {}, {}, {}, {}, None)", text.input(), text.pair(op.kernel),
                       text.pair(op.stride), text.pair(op.padding), text.boolean(op.ceil),
                       text.boolean(op.counts_padding));
  }
};
template struct Row<AvgPool2d>;

template <>
struct Traits<AdaptiveAvgPool2d> : Defaults<AdaptiveAvgPool2d> {
  static constexpr std::string_view name = "AdaptiveAvgPool2d";
  static constexpr Passage passage = Passage::adds;

  static Shape shape(const AdaptiveAvgPool2d& op, const ShapeQuery& query) {
    query.require_image();
    query.require(op.height >= 1 && op.width >= 1, "needs an output of at least 1x1, not {}x{}", op.height,
                  op.width);
    return {query.input()[0], op.height, op.width};
  }
  static at::Tensor forward(const AdaptiveAvgPool2d& op, const LayerCall& call) {
    return at::adaptive_avg_pool2d(call.x(), {op.height, op.width});
  }
  static std::string torchscript(const AdaptiveAvgPool2d& op, const ScriptText& text) {
    return fmt::format("torch.adaptive_avg_pool2d({}, {})", text.input(), text.pair({op.height, op.width}));
  }
};
template struct Row<AdaptiveAvgPool2d>;

template <>
struct Traits<GlobalAvgPool2d> : Defaults<GlobalAvgPool2d> {
  static constexpr std::string_view name = "GlobalAvgPool2d";
  static constexpr Passage passage = Passage::adds;

  static Shape shape(const GlobalAvgPool2d&, const ShapeQuery& query) {
    query.require_image();
    return {query.input()[0], 1, 1};
  }
  static at::Tensor forward(const GlobalAvgPool2d&, const LayerCall& call) {
    return at::mean(call.x(), {2, 3}, true);
  }
  static std::string torchscript(const GlobalAvgPool2d&, const ScriptText& text) {
    return fmt::format("torch.adaptive_avg_pool2d({}, [1, 1])", text.input());
  }
};
template struct Row<GlobalAvgPool2d>;

}  // namespace whence::nn
