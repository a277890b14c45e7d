#include "nn/ops/convolution.h"
#include "nn/ops/learned_tensors.h"
#include "nn/ops/operation_row.h"

namespace whence::nn {

template <>
struct Traits<Conv2d> : Defaults<Conv2d> {
  static constexpr std::string_view name = "Conv2d";
  static constexpr Passage passage = Passage::adds;
  static constexpr bool heavy = true;
  static constexpr ReluMerge relu = ReluMerge::behind;

  static Shape shape(const Conv2d& op, const ShapeQuery& query) {
    query.require_image();
    query.require(op.channels >= 1, "needs at least 1 channel, not {}", op.channels);
    const Shape& input = query.input();
    query.require(op.groups >= 1 && input[0] % op.groups == 0 && op.channels % op.groups == 0,
                  "{} groups divide neither {} nor {} channels evenly", op.groups, input[0], op.channels);
    query.require(op.dilation.height >= 1 && op.dilation.width >= 1, "dilation must be at least 1");
    query.require_window(op.kernel.height, op.stride.height, op.padding.height);
    query.require_window(op.kernel.width, op.stride.width, op.padding.width);
    return {op.channels,
            query.slide(1, reach(op.kernel.height, op.dilation.height), op.stride.height, op.padding.height),
            query.slide(2, reach(op.kernel.width, op.dilation.width), op.stride.width, op.padding.width)};
  }
  /// How many pixels a dilated kernel spans.
  static std::int64_t reach(std::int64_t kernel, std::int64_t dilation) {
    return dilation * (kernel - 1) + 1;
  }

  static NamedTensors parameters(const Conv2d& op, const Shape& input) {
    return weight_and_bias(
        channels_last_zeros({op.channels, input[0] / op.groups, op.kernel.height, op.kernel.width}), op.bias,
        op.channels);
  }

  static void initialise(const Conv2d&, const InitialValues& values) {
    const double terms = static_cast<double>(values.weight()[0].numel());
    initialise_product(values, terms, values.options.convolution_deviation);
  }

  static at::Tensor forward(const Conv2d& op, const LayerCall& call) {
    return convolution(call.x(), call.learned(0), call.learned(1), op, call.relu);
  }

  static std::string torchscript(const Conv2d& op, const ScriptText& text) {
    return fmt::format("torch.conv2d({}, {}, {}, {}, {}, {}, {})", text.input(), text.tensor("weight"),
                       text.tensor("bias"), text.pair(op.stride), text.pair(op.padding),
                       text.pair(op.dilation), op.groups);
  }
};
template struct Row<Conv2d>;

}  // namespace whence::nn
