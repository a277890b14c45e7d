// Batch normalisations as part of the products in front of them.
#include "nn/ops/operation.h"
#include "whence/nn/graph/network.h"

namespace whence::nn {
namespace {

struct Scale {
  at::Tensor factor, shift;  ///< (C): factor * x + shift
};

/// In evaluation mode.
Scale scale_of(const Layer& norm) {
  Shape one(norm.shape.size() + 1, 1);
  const at::Tensor x = norm.parameters[0].tensor.new_empty(one);
  const LinearTensors tensors = operation_of(norm.op).linear_tensors(norm.op, norm, x);
  return {tensors.weight.flatten(), tensors.bias.flatten()};
}

/// No rule shares relevance out a second time here.
void make_identity(Layer& norm) {
  norm.op = Reshape{norm.shape};
  norm.parameters.clear();
  norm.buffers.clear();
}

/// Sets op.bias; false: not a layer that multiplies.
bool gains_bias(Op& op) {
  return std::visit(
      []<class T>([[maybe_unused]] T& own) {
        if constexpr (requires { own.bias = true; }) own.bias = true;
        return requires { own.bias; };
      },
      op);
}

/// In which dimension of the weight the outputs lie.
std::int64_t output_dimension(const Op& op) { return std::holds_alternative<ConvTranspose2d>(op) ? 1 : 0; }

void take_in(Layer& product, const Scale& scale) {
  NamedTensor& weight = product.parameters[0];
  Shape sizes(static_cast<std::size_t>(weight.tensor.dim()), 1);
  sizes[static_cast<std::size_t>(output_dimension(product.op))] = scale.factor.numel();
  weight.tensor.mul_(scale.factor.reshape(sizes));
  if (product.parameters.size() == 1) product.parameters.push_back({"bias", at::zeros_like(scale.shift)});
  product.parameters[1].tensor.mul_(scale.factor).add_(scale.shift);
}

}  // namespace

Network Network::with_merged_norms() const {
  Network copy = clone();
  copy.require_gradients(false);
  const at::NoGradGuard no_gradients;
  std::vector<std::size_t> readers(layers_.size(), 0);
  for (const LayerId output : outputs_) ++readers[output];
  for (const Layer& layer : layers_) {
    for (const LayerId input : layer.inputs) ++readers[input];
  }
  for (Layer& norm : copy.layers_) {
    if (!operation_of(norm.op).mixes_samples) continue;  // no batch normalisation
    const LayerId input = norm.inputs.front();
    if (readers[input] != 1 || !gains_bias(copy.layers_[input].op)) continue;
    take_in(copy.layers_[input], scale_of(norm));
    make_identity(norm);
  }
  return copy;
}

}  // namespace whence::nn
