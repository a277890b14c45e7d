// The first layer.
#include "nn/ops/operation_row.h"

namespace whence::nn {

template <>
struct Traits<Input> : Defaults<Input> {
  static constexpr std::string_view name = "Input";
  static constexpr Passage passage = Passage::copies;
  static Shape shape(const Input&, const ShapeQuery& query) {
    fail("{}: only the first layer is an input", query.place);
  }
  static at::Tensor forward(const Input&, const LayerCall& call) { return call.x(); }
  static std::string torchscript(const Input&, const ScriptText&) { return "x"; }
};
template struct Row<Input>;

}  // namespace whence::nn
