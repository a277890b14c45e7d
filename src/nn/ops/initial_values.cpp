#include "nn/ops/initial_values.h"

#include <cmath>

#include "whence/platform/device.h"

namespace whence::nn {
namespace {

void fill_uniform(const at::Tensor& tensor, double bound, at::Generator& generator) {
  tensor.copy_(at::empty(tensor.sizes(), draws_of(generator)).uniform_(-bound, bound, generator));
}

}  // namespace

void fill_normal(const at::Tensor& tensor, double mean, double deviation, at::Generator& generator) {
  tensor.copy_(at::empty(tensor.sizes(), draws_of(generator)).normal_(mean, deviation, generator));
}

void initialise_product(const InitialValues& values, double terms, double deviation) {
  const NamedTensors& parameters = values.layer.parameters;
  if (values.options.keeps_size) deviation = std::sqrt((values.rectified ? 2 : 1) / terms);
  if (deviation > 0) {
    fill_normal(values.weight(), 0, deviation, values.generator);
    if (parameters.size() > 1) parameters[1].tensor.zero_();
    return;
  }
  const double fan_in = static_cast<double>(values.weight()[0].numel());
  for (const NamedTensor& parameter : parameters)
    fill_uniform(parameter.tensor, 1 / std::sqrt(fan_in), values.generator);
}

}  // namespace whence::nn
