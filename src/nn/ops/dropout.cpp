// Dropout of values and of whole channels (Srivastava et al. 2014; Tompson et al. 2015).
#include "nn/ops/operation_row.h"

namespace whence::nn {
namespace {

Shape checked_dropout(double probability, const ShapeQuery& query) {
  query.require(probability >= 0 && probability <= 1, "the probability of dropping must be in [0, 1], not {}",
                probability);
  return query.input();
}

/// Zeroes what a mask of `sizes` (broadcast over x) drops, and scales the rest so that the mean stays.
at::Tensor dropped(const LayerCall& call, double probability, at::IntArrayRef sizes) {
  if (!call.execution.training || probability == 0) return call.x();
  if (probability == 1) return at::zeros_like(call.x());
  TORCH_CHECK(call.execution.dropout != nullptr, "layer ", call.layer.name, ": dropout needs a generator");
  const at::Tensor kept = at::empty(sizes, call.x().options().device(at::kCPU))
                              .bernoulli_(1 - probability, *call.execution.dropout)
                              .to(call.x().device());
  return call.x().mul(kept).mul(1 / (1 - probability));
}

}  // namespace

template <>
struct Traits<Dropout> : Defaults<Dropout> {
  static constexpr std::string_view name = "Dropout";
  static constexpr Passage passage = Passage::copies;

  static Shape shape(const Dropout& op, const ShapeQuery& query) {
    return checked_dropout(op.probability, query);
  }
  static at::Tensor forward(const Dropout& op, const LayerCall& call) {
    return dropped(call, op.probability, call.x().sizes());
  }
  static std::string torchscript(const Dropout&, const ScriptText& text) { return text.input(); }
};
template struct Row<Dropout>;

template <>
struct Traits<Dropout2d> : Defaults<Dropout2d> {
  static constexpr std::string_view name = "Dropout2d";
  static constexpr Passage passage = Passage::copies;

  static Shape shape(const Dropout2d& op, const ShapeQuery& query) {
    query.require_image();
    return checked_dropout(op.probability, query);
  }
  static at::Tensor forward(const Dropout2d& op, const LayerCall& call) {
    return dropped(call, op.probability, {call.x().size(0), call.x().size(1), 1, 1});
  }
  static std::string torchscript(const Dropout2d&, const ScriptText& text) { return text.input(); }
};
template struct Row<Dropout2d>;

}  // namespace whence::nn
