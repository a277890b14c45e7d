// What puts values elsewhere: every output is one of the inputs, or zero.
#include "nn/graph/shapes.h"
#include "nn/ops/operation_row.h"

namespace whence::nn {

template <>
struct Traits<Flatten> : Defaults<Flatten> {
  static constexpr std::string_view name = "Flatten";
  static constexpr Passage passage = Passage::copies;

  static Shape shape(const Flatten&, const ShapeQuery& query) { return {elements(query.input())}; }
  static at::Tensor forward(const Flatten&, const LayerCall& call) { return call.x().flatten(1); }
  static std::string torchscript(const Flatten&, const ScriptText& text) {
    return fmt::format("torch.flatten({}, 1)", text.input());
  }
};
template struct Row<Flatten>;

template <>
struct Traits<Reshape> : Defaults<Reshape> {
  static constexpr std::string_view name = "Reshape";
  static constexpr Passage passage = Passage::copies;

  static Shape shape(const Reshape& op, const ShapeQuery& query) {
    const Shape& input = query.input();
    const bool positive =
        std::all_of(op.shape.begin(), op.shape.end(), [](std::int64_t size) { return size >= 1; });
    query.require(!op.shape.empty() && positive && elements(op.shape) == elements(input),
                  "cannot reshape {} ({} elements) to {}", text_of(input), elements(input),
                  text_of(op.shape));
    return op.shape;
  }
  static at::Tensor forward(const Reshape& op, const LayerCall& call) {
    Shape sizes = {call.x().size(0)};
    sizes.insert(sizes.end(), op.shape.begin(), op.shape.end());
    return call.x().reshape(sizes);
  }
  static std::string torchscript(const Reshape& op, const ScriptText& text) {
    return fmt::format("torch.reshape({0}, [{0}.size(0), {1}])", text.input(), fmt::join(op.shape, ", "));
  }
};
template struct Row<Reshape>;

template <>
struct Traits<Permute> : Defaults<Permute> {
  static constexpr std::string_view name = "Permute";
  static constexpr Passage passage = Passage::copies;

  static Shape shape(const Permute& op, const ShapeQuery& query) {
    const Shape& input = query.input();
    Shape sorted = op.order, output;
    std::sort(sorted.begin(), sorted.end());
    bool whole = sorted.size() == input.size();
    for (std::size_t i = 0; whole && i < sorted.size(); ++i)
      whole = sorted[i] == static_cast<std::int64_t>(i);
    query.require(whole, "the order {} is none of the {} dimensions of {}", fmt::join(op.order, ", "),
                  input.size(), text_of(input));
    for (const std::int64_t from : op.order) output.push_back(input[static_cast<std::size_t>(from)]);
    return output;
  }
  static Shape with_batch(const Permute& op) {
    Shape order = {0};
    for (const std::int64_t from : op.order) order.push_back(from + 1);
    return order;
  }
  static at::Tensor forward(const Permute& op, const LayerCall& call) {
    return call.x().permute(with_batch(op));
  }
  static std::string torchscript(const Permute& op, const ScriptText& text) {
    return fmt::format("torch.permute({}, [{}])", text.input(), fmt::join(with_batch(op), ", "));
  }
};
template struct Row<Permute>;

template <>
struct Traits<Slice> : Defaults<Slice> {
  static constexpr std::string_view name = "Slice";
  static constexpr Passage passage = Passage::copies;

  static Shape shape(const Slice& op, const ShapeQuery& query) {
    Shape output = query.input();
    query.require(op.start >= 0 && op.length >= 1 && op.start + op.length <= output[0],
                  "{} channels from {} on are not among {}", op.length, op.start, output[0]);
    output[0] = op.length;
    return output;
  }
  static at::Tensor forward(const Slice& op, const LayerCall& call) {
    return call.x().narrow(1, op.start, op.length);
  }
  static std::string torchscript(const Slice& op, const ScriptText& text) {
    return fmt::format("torch.narrow({}, 1, {}, {})", text.input(), op.start, op.length);
  }
};
template struct Row<Slice>;

template <>
struct Traits<ZeroPad2d> : Defaults<ZeroPad2d> {
  static constexpr std::string_view name = "ZeroPad2d";
  static constexpr Passage passage = Passage::copies;

  static Shape shape(const ZeroPad2d& op, const ShapeQuery& query) {
    query.require_image();
    query.require(std::min({op.left, op.right, op.top, op.bottom}) >= 0,
                  "padding must be at least 0, not {}, {}, {} and {}", op.left, op.right, op.top, op.bottom);
    const Shape& input = query.input();
    return {input[0], input[1] + op.top + op.bottom, input[2] + op.left + op.right};
  }
  static at::Tensor forward(const ZeroPad2d& op, const LayerCall& call) {
    return at::constant_pad_nd(call.x(), {op.left, op.right, op.top, op.bottom});
  }
  static std::string torchscript(const ZeroPad2d& op, const ScriptText& text) {
    return fmt::format("torch.constant_pad_nd({}, [{}, {}, {}, {}], 0.0)", text.input(), op.left, op.right,
                       op.top, op.bottom);
  }
};
template struct Row<ZeroPad2d>;

template <>
struct Traits<UpsampleNearest2d> : Defaults<UpsampleNearest2d> {
  static constexpr std::string_view name = "UpsampleNearest2d";
  static constexpr Passage passage = Passage::copies;

  static Shape shape(const UpsampleNearest2d& op, const ShapeQuery& query) {
    query.require_image();
    query.require(op.factor >= 1, "the factor must be at least 1, not {}", op.factor);
    const Shape& input = query.input();
    return {input[0], input[1] * op.factor, input[2] * op.factor};
  }
  static at::Tensor forward(const UpsampleNearest2d& op, const LayerCall& call) {
    return at::upsample_nearest2d(call.x(), {call.x().size(2) * op.factor, call.x().size(3) * op.factor});
  }
  static std::string torchscript(const UpsampleNearest2d& op, const ScriptText& text) {
    const std::string factor = text.literal(static_cast<double>(op.factor));
    return fmt::format("torch.upsample_nearest2d({}, None, [{}, {}])", text.input(), factor, factor);
  }
};
template struct Row<UpsampleNearest2d>;

}  // namespace whence::nn
