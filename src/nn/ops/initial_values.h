// How new weights are drawn.
#pragma once

#include "whence/nn/graph/network.h"

namespace whence::nn {

struct InitialValues {
  const Layer& layer;
  const Initialisation& options;
  bool rectified;  ///< a ReLU reads the layer: about half of its outputs will be cut off
  at::Generator& generator;

  const at::Tensor& weight() const { return layer.parameters[0].tensor; }
};

/// N(mean, deviation), drawn in the order of the indices, whatever the layout of `tensor` in memory.
void fill_normal(const at::Tensor& tensor, double mean, double deviation, at::Generator& generator);

/// Weight and bias of a layer that multiplies. `terms`: how many products an output (inside an image) adds up;
/// `deviation`: of N(0, deviation) for the weight, with a zero bias; 0: PyTorch's way, U(-b, b) with b = 1 / sqrt(fan in)
/// for weight and bias (He et al. 2015 with a = sqrt(5)). Options that keep the size come first.
void initialise_product(const InitialValues& values, double terms, double deviation);

}  // namespace whence::nn
