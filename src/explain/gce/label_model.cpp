#include "whence/explain/gce/label_model.h"

namespace whence::gce {
namespace {

nn::Network declare(std::int64_t causal, std::int64_t classes, at::Generator& generator) {
  constexpr std::int64_t hidden = 32;
  nn::Network network("label-model", {causal});
  network.add("hidden1", nn::Linear{hidden});
  network.add("relu1", nn::Relu{});
  network.add("hidden2", nn::Linear{hidden});
  network.add("relu2", nn::Relu{});
  network.add("labels", nn::Linear{classes});
  network.add("log_probabilities", nn::LogSoftmax{});
  nn::initialise(network, {}, generator);
  return network;
}

}  // namespace

LabelModel::LabelModel(std::int64_t causal, std::int64_t classes, at::Generator& generator)
    : network(declare(causal, classes, generator)), optimizer({&network}, nn::Adam{}) {}

at::Tensor LabelModel::log_probabilities(const at::Tensor& alpha) const { return network.forward(alpha); }

}  // namespace whence::gce
