#include "interchange/page_network.h"

#include <bit>
#include <concepts>

#include "nn/ops/operation.h"

namespace whence::nn {
namespace {

using nlohmann::json;

/// Of a table without vectors, so that adding an operation elsewhere changes nothing here.
template <class T, class... Known>
concept one_of = (std::same_as<T, Known> || ...);

json pair(const Extent& extent) { return {extent.height, extent.width}; }

/// Whether the page computes this one as the library does.
bool is_plain(const AvgPool2d& op) { return !op.ceil && op.counts_padding; }
template <class T>
bool is_plain(const T&) {
  return true;
}

/// What the page needs beside weights; null: the page lacks the operation.
json facts_of(const Op& op) {
  return std::visit(
      []<class T>(const T& own) -> json {
        json facts = json::object();
        if (!is_plain(own)) return nullptr;
        if constexpr (one_of<T, Conv2d, ConvTranspose2d, MaxPool2d, AvgPool2d>)
          facts = {
              {"kernel", pair(own.kernel)}, {"stride", pair(own.stride)}, {"padding", pair(own.padding)}};
        else if constexpr (std::same_as<T, LeakyRelu>)
          facts = {{"slope", own.slope}};
        else if constexpr (std::same_as<T, Hardtanh>)
          facts = {{"low", own.low}, {"high", own.high}};
        else if constexpr (std::same_as<T, ZeroPad2d>)
          facts = {{"left", own.left}, {"top", own.top}};
        else if constexpr (std::same_as<T, UpsampleNearest2d>)
          facts = {{"factor", own.factor}};
        else if constexpr (!one_of<T, Input, Linear, BatchNorm2d, BatchNorm1d, ScaleShift, Relu, Sigmoid,
                                   Tanh, Hardsigmoid, Hardswish, Silu, Softmax, LogSoftmax, GlobalAvgPool2d,
                                   Dropout, Dropout2d, Flatten, Reshape, Add, Gate, Concat>)
          facts = nullptr;
        if constexpr (std::same_as<T, Conv2d>)
          facts.update({{"groups", own.groups}, {"dilation", pair(own.dilation)}});
        return facts;
      },
      op);
}

bool scales(const Op& op) {
  return std::holds_alternative<BatchNorm2d>(op) || std::holds_alternative<BatchNorm1d>(op) ||
         std::holds_alternative<ScaleShift>(op);
}

class Writer {
 public:
  Writer(PageWeights weights, std::string& bytes) : weights_(weights), bytes_(bytes) {
    static_assert(std::endian::native == std::endian::little, "weights are stored as they lie in memory");
  }

  /// Vectors stay float32. `rounded`, if given, takes the values that the page will have.
  json tensor(const at::Tensor& given, at::Tensor* rounded = nullptr) {
    const at::Tensor values = given.detach().to(at::kCPU, at::kFloat).contiguous();
    if (values.dim() < 2) return append({values}, values.sizes(), "f32");
    if (weights_ == PageWeights::halves) {
      const at::Tensor halves = values.to(at::kHalf);
      if (rounded != nullptr) rounded->copy_(halves);
      return append({halves}, values.sizes(), "f16");
    }
    const at::Tensor rows = values.flatten(1);
    const at::Tensor scale = (rows.abs().amax(1) / 127).clamp_min(1e-30);
    const at::Tensor bytes = (rows / scale.unsqueeze(1)).round().to(at::kChar);
    if (rounded != nullptr) rounded->copy_((bytes.to(at::kFloat) * scale.unsqueeze(1)).view(values.sizes()));
    return append({bytes, scale}, values.sizes(), "i8");
  }

 private:
  json append(const std::vector<at::Tensor>& parts, at::IntArrayRef shape, const char* type) {
    bytes_.resize((bytes_.size() + 3) / 4 * 4);
    json described = {{"at", bytes_.size()}, {"shape", shape.vec()}, {"type", type}};
    for (const at::Tensor& part : parts)
      bytes_.append(static_cast<const char*>(part.data_ptr()), part.nbytes());
    return described;
  }

  PageWeights weights_;
  std::string& bytes_;
};

}  // namespace

std::optional<PageNetwork> page_network(const Network& network, PageWeights weights, std::string& bytes,
                                        std::string* obstacle) {
  for (const Layer& layer : network.layers())
    if (facts_of(layer.op).is_null()) {
      if (obstacle != nullptr) *obstacle = name_of(layer.op);
      return std::nullopt;
    }
  PageNetwork page{json::object(), network.with_merged_norms()};
  const at::NoGradGuard no_gradients;
  Writer writer(weights, bytes);
  json& layers = page.layers["layers"] = json::array();
  for (const Layer& layer : page.rounded.layers()) {
    json facts = facts_of(layer.op);
    facts.update({{"name", layer.name},
                  {"op", scales(layer.op) ? "ScaleShift" : name_of(layer.op)},
                  {"inputs", layer.inputs},
                  {"shape", layer.shape}});
    if (scales(layer.op)) {
      const at::Tensor x = at::empty(Shape(layer.shape.size() + 1, 1), at::kFloat);
      const LinearTensors tensors = operation_of(layer.op).linear_tensors(layer.op, layer, x);
      facts["scale"] = writer.tensor(tensors.weight.flatten());
      facts["shift"] = writer.tensor(tensors.bias.flatten());
    } else {
      for (const NamedTensor& parameter : layer.parameters) {
        at::Tensor rounded = parameter.tensor;
        facts[parameter.name] = writer.tensor(parameter.tensor, &rounded);
      }
    }
    layers.push_back(std::move(facts));
  }
  page.layers["outputs"] = page.rounded.outputs();
  return page;
}

}  // namespace whence::nn
