// Windows of an image that become one pixel.
#include "nn/ops/operation_row.h"

namespace whence::nn {
namespace {

template <class Pool>
Shape pooled_shape(const Pool& op, const ShapeQuery& query) {
  query.require_image();
  query.require_window(op.kernel, op.stride, op.padding);
  query.require(2 * op.padding <= op.kernel, "padding {} is more than half of kernel {}", op.padding,
                op.kernel);
  return {query.input()[0], query.slide(1, op.kernel, op.stride, op.padding),
          query.slide(2, op.kernel, op.stride, op.padding)};
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
    at::Tensor largest = at::max_pool2d(call.x(), op.kernel, op.stride, op.padding);
    return call.relu ? at::relu_(largest) : largest;
  }
  static std::string torchscript(const MaxPool2d& op, const ScriptText& text) {
    return fmt::format("torch.max_pool2d({}, {}, {}, {}, [1, 1], False)", text.input(), text.pair(op.kernel),
                       text.pair(op.stride), text.pair(op.padding));
  }
};
template struct Row<MaxPool2d>;

template <>
struct Traits<AvgPool2d> : Defaults<AvgPool2d> {
  static constexpr std::string_view name = "AvgPool2d";
  static constexpr Passage passage = Passage::adds;

  static Shape shape(const AvgPool2d& op, const ShapeQuery& query) { return pooled_shape(op, query); }
  static at::Tensor forward(const AvgPool2d& op, const LayerCall& call) {
    return at::avg_pool2d(call.x(), op.kernel, op.stride, op.padding);
  }
  static std::string torchscript(const AvgPool2d& op, const ScriptText& text) {
    return fmt::format("torch.avg_pool2d({}, {}, {}, {}, False, True, None)", text.input(),
                       text.pair(op.kernel), text.pair(op.stride), text.pair(op.padding));
  }
};
template struct Row<AvgPool2d>;

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
