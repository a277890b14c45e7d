// Recurrent layers: GRU and LSTM, whose gates PyTorch orders in another way.
#include "interchange/onnx_operators.h"
#include "interchange/onnx_rearrange.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

/// What the operators have in common. X is (steps, samples, features), Y (steps, directions, samples, units).
struct Layer {
  std::vector<std::int64_t> gates;  ///< for each of PyTorch's gates the number of ONNX's
  std::int64_t directions = 1, units = 0;

  std::int64_t rows() const { return static_cast<std::int64_t>(gates.size()) * units; }
};

Layer layer_of(const OnnxCall& call, std::vector<std::int64_t> gates, std::string_view activations) {
  Layer layer{std::move(gates)};
  const std::string direction = call.text("direction", "forward");
  if (direction == "reverse") call.problem("runs backwards only; export it forward or bidirectional");
  layer.directions = direction == "bidirectional" ? 2 : 1;
  if (call.input(0).rank() != 3 || call.input(1).rank() != 3 || call.input(2).rank() != 3)
    call.problem("has an input or weights of {}, {} and {}", text_of(call.input(0).sizes),
                 text_of(call.input(1).sizes), text_of(call.input(2).sizes));
  layer.units = call.input(2).sizes[2].count;
  const std::int64_t features = call.input(0).sizes[2].count, rows = layer.rows();
  if (call.input(1).sizes != OnnxSizes{{layer.directions}, {rows}, {features}} ||
      call.input(2).sizes != OnnxSizes{{layer.directions}, {rows}, {layer.units}})
    call.problem("has weights of {} and {} for an input of {}", text_of(call.input(1).sizes),
                 text_of(call.input(2).sizes), text_of(call.input(0).sizes));
  if (call.integer("layout", 0) != 0) call.problem("has a layout of samples first; export it without");
  if (call.has_attribute("clip")) call.problem("clips its cells, which PyTorch's layers do not");
  if (call.has_attribute("activations"))
    call.problem("names its activations; only the usual ones ({}) are known", activations);
  if (call.has(4))
    call.problem("takes the lengths of its samples; export a model of texts that are not filled up");
  return layer;
}

/// Rows of `weight` (gates x units, ...) in PyTorch's order.
at::Tensor in_order(const Layer& layer, const at::Tensor& weight) {
  std::vector<at::Tensor> parts;
  for (const std::int64_t gate : layer.gates)
    parts.push_back(weight.narrow(0, gate * layer.units, layer.units));
  return at::cat(parts).contiguous();
}

/// For each direction the weights of input and state and, where there are any, both biases.
Values weights_of(OnnxCall& call, const Layer& layer) {
  const at::Tensor &input = call.constant(1), &state = call.constant(2);
  if (call.has(3) && call.input(3).sizes != OnnxSizes{{layer.directions}, {2 * layer.rows()}})
    call.problem("has biases of {}", text_of(call.input(3).sizes));
  call.emitter().spend(input.numel() + state.numel());  // they are copied
  Values weights;
  for (std::int64_t d = 0; d < layer.directions; ++d) {
    weights.push_back(call.constant_of(in_order(layer, input[d])));
    weights.push_back(call.constant_of(in_order(layer, state[d])));
    if (!call.has(3)) continue;
    for (const at::Tensor& half : call.constant(3)[d].chunk(2))
      weights.push_back(call.constant_of(in_order(layer, half)));
  }
  return weights;
}

/// Input `i`, (directions, samples, units), or zeros.
OnnxValue first_state(OnnxCall& call, const Layer& layer, std::size_t i) {
  const OnnxSizes sizes = {{layer.directions}, call.input(0).sizes[1], {layer.units}};
  if (!call.has(i)) return call.emit("aten::zeros", {sizes}, sizes);
  if (call.input(i).sizes != sizes) call.problem("has a first state of {}", text_of(call.input(i).sizes));
  return call.input(i);
}

/// Y, and Y_h: the state after the last step, which is the first one backwards.
Values results(OnnxCall& call, const Layer& layer, const OnnxValue& states) {
  const OnnxSize steps = states.sizes[0], samples = states.sizes[1];
  const OnnxValue split = reshaped(call, states, {steps, samples, {layer.directions}, {layer.units}});
  Values found = {permuted(call, split, {0, 2, 1, 3})};
  const OnnxSizes one = {samples, {layer.directions}, {layer.units}}, own = {samples, {layer.units}};
  Values last;
  for (std::int64_t d = 0; d < layer.directions; ++d) {
    const OnnxValue step =
        call.emit("aten::select.int", {split, 0, d == 0 ? steps.count - 1 : std::int64_t{0}}, one);
    last.push_back(call.emit("aten::select.int", {step, 1, d}, own));
  }
  found.push_back(call.emit("aten::stack", {last, 0}, {{layer.directions}, samples, {layer.units}}));
  return found;
}

/// PyTorch's states of all steps, (steps, samples, directions x units).
Values run(OnnxCall& call, const Layer& layer, const char* name, const OnnxArgument& first) {
  const OnnxValue& x = call.input(0);
  if (x.sizes[0].batch || !x.sizes[1].batch)
    call.problem("runs over an input of {}; its steps must come first, then the samples", text_of(x.sizes));
  constexpr std::int64_t layers = 1;
  constexpr double dropout = 0;
  constexpr bool training = false, samples_first = false;
  return results(call, layer,
                 call.emit(name,
                           {x, first, weights_of(call, layer), call.has(3), layers, dropout, training,
                            layer.directions == 2, samples_first},
                           {x.sizes[0], x.sizes[1], {layer.directions * layer.units}}));
}

Values gru(OnnxCall& call) {
  const Layer layer = layer_of(call, {1, 0, 2}, "Sigmoid, Tanh");  // ONNX: update, reset, hidden
  if (call.integer("linear_before_reset", 0) == 0)
    call.problem("resets the state before its weights, which PyTorch's GRU does not (linear_before_reset)");
  return run(call, layer, "aten::gru.input", first_state(call, layer, 5));
}

Values lstm(OnnxCall& call) {
  const Layer layer =
      layer_of(call, {0, 2, 3, 1}, "Sigmoid, Tanh, Tanh");  // ONNX: input, output, forget, cell
  if (call.has(7)) call.problem("has peepholes, which PyTorch's LSTM has not");
  return run(call, layer, "aten::lstm.input",
             Values{first_state(call, layer, 5), first_state(call, layer, 6)});
}

constexpr OnnxEntry kRecurrent[] = {{"GRU", gru}, {"LSTM", lstm}};

}  // namespace

std::span<const OnnxEntry> onnx_recurrent() { return kRecurrent; }

}  // namespace whence::interchange
