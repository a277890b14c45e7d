// Functions of each value alone, and of all classes together.
#include "nn/ops/operation_row.h"

namespace whence::nn {

template <>
struct Traits<Relu> : Defaults<Relu> {
  static constexpr std::string_view name = "Relu";
  static constexpr Passage passage = Passage::activates;
  static at::Tensor forward(const Relu&, const LayerCall& call) { return at::relu(call.x()); }
  static std::string torchscript(const Relu&, const ScriptText& text) { return text.call("relu"); }
};
template struct Row<Relu>;

template <>
struct Traits<LeakyRelu> : Defaults<LeakyRelu> {
  static constexpr std::string_view name = "LeakyRelu";
  static constexpr Passage passage = Passage::activates;
  static at::Tensor forward(const LeakyRelu& op, const LayerCall& call) {
    return at::leaky_relu(call.x(), op.slope);
  }
  static std::string torchscript(const LeakyRelu& op, const ScriptText& text) {
    return fmt::format("torch.leaky_relu({}, {})", text.input(), text.literal(op.slope));
  }
};
template struct Row<LeakyRelu>;

template <>
struct Traits<Sigmoid> : Defaults<Sigmoid> {
  static constexpr std::string_view name = "Sigmoid";
  static constexpr Passage passage = Passage::activates;
  static at::Tensor forward(const Sigmoid&, const LayerCall& call) { return at::sigmoid(call.x()); }
  static std::string torchscript(const Sigmoid&, const ScriptText& text) { return text.call("sigmoid"); }
};
template struct Row<Sigmoid>;

template <>
struct Traits<Tanh> : Defaults<Tanh> {
  static constexpr std::string_view name = "Tanh";
  static constexpr Passage passage = Passage::activates;
  static at::Tensor forward(const Tanh&, const LayerCall& call) { return at::tanh(call.x()); }
  static std::string torchscript(const Tanh&, const ScriptText& text) { return text.call("tanh"); }
};
template struct Row<Tanh>;

template <>
struct Traits<Hardtanh> : Defaults<Hardtanh> {
  static constexpr std::string_view name = "Hardtanh";
  static constexpr Passage passage = Passage::activates;
  static Shape shape(const Hardtanh& op, const ShapeQuery& query) {
    query.require(op.low <= op.high, "the lower bound {} is above the upper bound {}", op.low, op.high);
    return query.input();
  }
  static at::Tensor forward(const Hardtanh& op, const LayerCall& call) {
    return at::hardtanh(call.x(), op.low, op.high);
  }
  static std::string torchscript(const Hardtanh& op, const ScriptText& text) {
    return fmt::format("torch.hardtanh({}, {}, {})", text.input(), text.literal(op.low),
                       text.literal(op.high));
  }
};
template struct Row<Hardtanh>;

template <>
struct Traits<Hardsigmoid> : Defaults<Hardsigmoid> {
  static constexpr std::string_view name = "Hardsigmoid";
  static constexpr Passage passage = Passage::activates;
  static at::Tensor forward(const Hardsigmoid&, const LayerCall& call) { return at::hardsigmoid(call.x()); }
  static std::string torchscript(const Hardsigmoid&, const ScriptText& text) {
    return text.call("hardsigmoid");
  }
};
template struct Row<Hardsigmoid>;

template <>
struct Traits<Hardswish> : Defaults<Hardswish> {
  static constexpr std::string_view name = "Hardswish";
  static constexpr Passage passage = Passage::activates;
  static at::Tensor forward(const Hardswish&, const LayerCall& call) { return at::hardswish(call.x()); }
  static std::string torchscript(const Hardswish&, const ScriptText& text) { return text.call("hardswish"); }
};
template struct Row<Hardswish>;

template <>
struct Traits<Silu> : Defaults<Silu> {
  static constexpr std::string_view name = "Silu";
  static constexpr Passage passage = Passage::activates;
  static at::Tensor forward(const Silu&, const LayerCall& call) { return at::silu(call.x()); }
  static std::string torchscript(const Silu&, const ScriptText& text) { return text.call("silu"); }
};
template struct Row<Silu>;

template <>
struct Traits<Gelu> : Defaults<Gelu> {
  static constexpr std::string_view name = "Gelu";
  static constexpr Passage passage = Passage::activates;
  static at::Tensor forward(const Gelu& op, const LayerCall& call) {
    return at::gelu(call.x(), op.tanh ? "tanh" : "none");
  }
  static std::string torchscript(const Gelu& op, const ScriptText& text) {
    return fmt::format("torch.gelu({}, approximate={})", text.input(), op.tanh ? "\"tanh\"" : "\"none\"");
  }
};
template struct Row<Gelu>;

template <>
struct Traits<Softmax> : Defaults<Softmax> {
  static constexpr std::string_view name = "Softmax";
  static constexpr Passage passage = Passage::normalises;
  static at::Tensor forward(const Softmax&, const LayerCall& call) { return at::softmax(call.x(), 1); }
  static std::string torchscript(const Softmax&, const ScriptText& text) {
    return fmt::format("torch.softmax({}, 1)", text.input());
  }
};
template struct Row<Softmax>;

template <>
struct Traits<LogSoftmax> : Defaults<LogSoftmax> {
  static constexpr std::string_view name = "LogSoftmax";
  static constexpr Passage passage = Passage::normalises;
  static at::Tensor forward(const LogSoftmax&, const LayerCall& call) { return at::log_softmax(call.x(), 1); }
  static std::string torchscript(const LogSoftmax&, const ScriptText& text) {
    return fmt::format("torch.log_softmax({}, 1)", text.input());
  }
};
template struct Row<LogSoftmax>;

}  // namespace whence::nn
