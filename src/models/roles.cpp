#include "whence/models/roles.h"

#include "whence/core/error.h"

namespace whence::models {
namespace {

using nn::Network;
using nn::Shape;

/// A classifier returns one row of class scores.
void check_classifier(const Network& network) {
  const Shape& output = network.output_shape();
  if (network.outputs().size() != 1 || output.size() != 1) {
    fail(
        "network \"{}\" is no classifier: it must have one output of shape (classes), not {} of which the "
        "first has {} "
        "dimensions",
        network.name(), network.outputs().size(), output.size());
  }
  if (output[0] < 2)
    fail("network \"{}\" is no classifier: it has {} class, 2 or more are needed", network.name(), output[0]);
}

class NetworkClassifier final : public Classifier {
 public:
  NetworkClassifier(const Network& network, Precision precision)
      : network_(network.frozen(precision)), execution_{.precision = precision} {}
  at::Tensor logits(const at::Tensor& x) const override { return network_.forward(x, execution_); }
  std::int64_t classes() const override { return network_.output_shape()[0]; }
  const Network* network() const override { return &network_; }

 private:
  Network network_;
  nn::Execution execution_;
};

class NetworkDecoder final : public Decoder {
 public:
  NetworkDecoder(const Network& network, Precision precision)
      : network_(network.frozen(precision)), execution_{.precision = precision} {}
  at::Tensor decode(const at::Tensor& z) const override { return network_.forward(z, execution_); }
  std::int64_t latents() const override { return network_.input_shape()[0]; }
  const Network* network() const override { return &network_; }

 private:
  Network network_;
  nn::Execution execution_;
};

class NetworkEncoder final : public Encoder {
 public:
  NetworkEncoder(const Network& network, Precision precision)
      : network_(network.frozen(precision)), execution_{.precision = precision} {}
  Posterior encode(const at::Tensor& x) const override {
    std::vector<at::Tensor> outputs = network_.forward_all(x, execution_);
    return {std::move(outputs[0]), std::move(outputs[1])};
  }
  std::int64_t latents() const override { return network_.output_shape()[0]; }

 private:
  Network network_;
  nn::Execution execution_;
};

}  // namespace

std::unique_ptr<Classifier> as_classifier(const Network& network, Precision precision) {
  check_classifier(network);
  return std::make_unique<NetworkClassifier>(network, precision);
}

std::unique_ptr<Decoder> as_decoder(const Network& network, Precision precision) {
  if (network.input_shape().size() != 1) {
    fail("network \"{}\" is no decoder: its input must be a row of latents, but has {} dimensions",
         network.name(), network.input_shape().size());
  }
  return std::make_unique<NetworkDecoder>(network, precision);
}

std::unique_ptr<Encoder> as_encoder(const Network& network, Precision precision) {
  const bool two = network.outputs().size() == 2;
  if (!two || network.output_shape(0).size() != 1 || network.output_shape(0) != network.output_shape(1)) {
    fail(
        "network \"{}\" is no encoder: it must have two outputs of one shape (latents), the mean and the "
        "log-variance",
        network.name());
  }
  return std::make_unique<NetworkEncoder>(network, precision);
}

}  // namespace whence::models
