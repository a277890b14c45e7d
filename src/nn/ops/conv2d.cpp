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
    query.require_window(op.kernel, op.stride, op.padding);
    return {op.channels, query.slide(1, op.kernel, op.stride, op.padding),
            query.slide(2, op.kernel, op.stride, op.padding)};
  }

  static NamedTensors parameters(const Conv2d& op, const Shape& input) {
    return weight_and_bias(channels_last_zeros({op.channels, input[0], op.kernel, op.kernel}), op.bias,
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
    return fmt::format("torch.conv2d({}, {}, {}, {}, {}, [1, 1], 1)", text.input(), text.tensor("weight"),
                       text.tensor("bias"), text.pair(op.stride), text.pair(op.padding));
  }
};
template struct Row<Conv2d>;

}  // namespace whence::nn
