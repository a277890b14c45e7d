#include "nn/ops/convolution.h"
#include "nn/ops/learned_tensors.h"
#include "nn/ops/operation_row.h"

namespace whence::nn {

template <>
struct Traits<ConvTranspose2d> : Defaults<ConvTranspose2d> {
  static constexpr std::string_view name = "ConvTranspose2d";
  static constexpr Passage passage = Passage::adds;
  static constexpr bool heavy = true;
  static constexpr ReluMerge relu = ReluMerge::behind;

  static Shape shape(const ConvTranspose2d& op, const ShapeQuery& query) {
    query.require_image();
    query.require(op.channels >= 1, "needs at least 1 channel, not {}", op.channels);
    query.require_window(op.kernel, op.stride, op.padding);
    query.require(op.output_padding >= 0 && op.output_padding < op.stride,
                  "output padding must be less than the stride {}, not {}", op.stride, op.output_padding);
    const Shape& input = query.input();
    Shape output = {op.channels, 0, 0};
    for (const std::size_t d : {1, 2})
      output[d] = (input[d] - 1) * op.stride - 2 * op.padding + op.kernel + op.output_padding;
    query.require(output[1] >= 1 && output[2] >= 1,
                  "padding {} leaves nothing of the output of a {}x{} input", op.padding, input[1], input[2]);
    return output;
  }

  static NamedTensors parameters(const ConvTranspose2d& op, const Shape& input) {
    return weight_and_bias(channels_last_zeros({input[0], op.channels, op.kernel, op.kernel}), op.bias,
                           op.channels);
  }

  static void initialise(const ConvTranspose2d& op, const InitialValues& values) {
    const double terms = static_cast<double>(values.weight().size(0) * op.kernel * op.kernel) /
                         static_cast<double>(op.stride * op.stride);
    initialise_product(values, terms, values.options.convolution_deviation);
  }

  static at::Tensor forward(const ConvTranspose2d& op, const LayerCall& call) {
    return transposed_convolution(call.x(), call.learned(0), call.learned(1), op, call.relu);
  }

  static std::string torchscript(const ConvTranspose2d& op, const ScriptText& text) {
    return fmt::format("torch.conv_transpose2d({}, {}, {}, {}, {}, {}, 1, [1, 1])", text.input(),
                       text.tensor("weight"), text.tensor("bias"), text.pair(op.stride),
                       text.pair(op.padding), text.pair(op.output_padding));
  }
};
template struct Row<ConvTranspose2d>;

}  // namespace whence::nn
