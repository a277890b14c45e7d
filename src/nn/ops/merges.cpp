// What makes one layer of several.
#include "nn/graph/shapes.h"
#include "nn/ops/operation_row.h"

namespace whence::nn {

template <>
struct Traits<Add> : Defaults<Add> {
  static constexpr std::string_view name = "Add";
  static constexpr Passage passage = Passage::adds;
  static constexpr bool joins = true;

  static Shape shape(const Add&, const ShapeQuery& query) {
    for (const Shape& other : query.inputs) {
      query.require(other == query.input(), "inputs must have one shape, not {} and {}",
                    text_of(query.input()), text_of(other));
    }
    return query.input();
  }
  static at::Tensor forward(const Add&, const LayerCall& call) {
    at::Tensor sum = call.x();
    for (std::size_t i = 1; i < call.inputs.size(); ++i) sum = sum + call.inputs[i];
    return sum;
  }
  static std::string torchscript(const Add&, const ScriptText& text) {
    return fmt::format("{}", fmt::join(text.inputs(), " + "));
  }
};
template struct Row<Add>;

template <>
struct Traits<Gate> : Defaults<Gate> {
  static constexpr std::string_view name = "Gate";
  static constexpr Passage passage = Passage::gates;
  static constexpr bool joins = true;

  static Shape shape(const Gate&, const ShapeQuery& query) {
    query.require(query.inputs.size() == 2, "needs a signal and a gate, not {} inputs", query.inputs.size());
    const Shape &signal = query.inputs[0], &gate = query.inputs[1];
    const bool by_channel = signal.size() == 3 && gate == Shape{signal[0], 1, 1};
    query.require(by_channel || gate == signal,
                  "the gate of {} must have its shape or one number for each channel, not {}",
                  text_of(signal), text_of(gate));
    return signal;
  }
  static at::Tensor forward(const Gate&, const LayerCall& call) { return call.inputs[0] * call.inputs[1]; }
  static std::string torchscript(const Gate&, const ScriptText& text) {
    return fmt::format("{}", fmt::join(text.inputs(), " * "));
  }
};
template struct Row<Gate>;

template <>
struct Traits<Concat> : Defaults<Concat> {
  static constexpr std::string_view name = "Concat";
  static constexpr Passage passage = Passage::copies;
  static constexpr bool joins = true;

  static Shape shape(const Concat&, const ShapeQuery& query) {
    Shape output = query.input();
    for (std::size_t i = 1; i < query.inputs.size(); ++i) {
      const Shape& other = query.inputs[i];
      const bool fits =
          other.size() == output.size() && std::equal(output.begin() + 1, output.end(), other.begin() + 1);
      query.require(fits, "inputs must agree in all but the first dimension, not {} and {}",
                    text_of(query.input()), text_of(other));
      output[0] += other[0];
    }
    return output;
  }
  static at::Tensor forward(const Concat&, const LayerCall& call) { return at::cat(call.inputs, 1); }
  static std::string torchscript(const Concat&, const ScriptText& text) {
    return fmt::format("torch.cat([{}], 1)", fmt::join(text.inputs(), ", "));
  }
};
template struct Row<Concat>;

}  // namespace whence::nn
