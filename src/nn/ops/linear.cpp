#include "nn/ops/learned_tensors.h"
#include "nn/ops/operation_row.h"

namespace whence::nn {

template <>
struct Traits<Linear> : Defaults<Linear> {
  static constexpr std::string_view name = "Linear";
  static constexpr Passage passage = Passage::adds;
  static constexpr bool heavy = true;

  static Shape shape(const Linear& op, const ShapeQuery& query) {
    query.require(op.features >= 1, "needs at least 1 output feature, not {}", op.features);
    Shape output = query.input();
    output.back() = op.features;
    return output;
  }

  static NamedTensors parameters(const Linear& op, const Shape& input) {
    return weight_and_bias(at::zeros({op.features, input.back()}, layer_options()), op.bias, op.features);
  }

  static void initialise(const Linear&, const InitialValues& values) {
    initialise_product(values, static_cast<double>(values.weight()[0].numel()), 0);
  }

  static at::Tensor forward(const Linear&, const LayerCall& call) {
    return at::linear(call.x(), call.like_x(0), call.like_x(1));
  }

  static std::string torchscript(const Linear&, const ScriptText& text) {
    return fmt::format("torch.linear({}, {}, {})", text.input(), text.tensor("weight"), text.tensor("bias"));
  }
};
template struct Row<Linear>;

}  // namespace whence::nn
