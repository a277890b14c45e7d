#include "whence/models/roles.h"

#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/platform/parts.h"

namespace whence::models {
namespace {

using nn::Network;
using nn::Shape;

/// The network with (classes, 1, ...) as (classes).
Network with_flat_output(const Network& network) {
  const Shape& output = network.output_shape();
  const bool ones =
      std::all_of(output.begin() + 1, output.end(), [](std::int64_t size) { return size == 1; });
  if (network.outputs().size() != 1 || output.size() < 2 || !ones) return network;
  Network flat = network;
  const std::string end = network.layers()[network.outputs().front()].name;
  std::string name = "flat_output";
  const auto is_taken = [&] {
    return std::any_of(network.layers().begin(), network.layers().end(),
                       [&](const nn::Layer& layer) { return layer.name == name; });
  };
  while (is_taken()) name += "_";
  flat.add(name, nn::Flatten{}, {end});
  flat.set_outputs({name});
  return flat;
}

/// A classifier returns one row of class scores.
void check_classifier(const Network& network) {
  const Shape& output = network.output_shape();
  if (network.outputs().size() != 1 || output.size() != 1) {
    fail(
        "network \"{}\" is no classifier: it must have one output of shape (classes), not {}, the first of "
        "{}",
        network.name(), network.outputs().size(), nn::text_of(output));
  }
  if (output[0] < 2)
    fail("network \"{}\" is no classifier: it has {} class, 2 or more are needed", network.name(), output[0]);
}

/// Network::forward_all in parts side by side where no gradient is recorded: a training step makes its own parts.
std::vector<at::Tensor> forward_in_parts(const Network& network, const at::Tensor& x,
                                         const nn::Execution& execution) {
  const bool recorded = at::GradMode::is_enabled() && x.requires_grad();
  const std::int64_t parts = recorded || x.dim() == 0 || !x.is_cpu() ? 1 : parts_for(x.size(0));
  if (parts == 1) return network.forward_all(x, execution);
  std::vector<std::vector<at::Tensor>> outputs(static_cast<std::size_t>(parts));
  run_parts(parts, [&](std::int64_t part) {
    const auto [first, count] = part_of(x.size(0), part, parts);
    outputs[static_cast<std::size_t>(part)] = network.forward_all(x.narrow(0, first, count), execution);
  });
  std::vector<at::Tensor> joined;
  for (std::size_t i = 0; i < outputs.front().size(); ++i) {
    std::vector<at::Tensor> rows;
    for (const std::vector<at::Tensor>& part : outputs) rows.push_back(part[i]);
    joined.push_back(at::cat(rows));
  }
  return joined;
}

class NetworkClassifier final : public Classifier {
 public:
  NetworkClassifier(const Network& network, Precision precision)
      : network_(network.frozen(precision)), execution_{.precision = precision} {}
  at::Tensor logits(const at::Tensor& x) const override {
    return forward_in_parts(network_, x.to(device()), execution_).front();
  }
  std::int64_t classes() const override { return network_.output_shape()[0]; }
  const Network* network() const override { return &network_; }
  Precision precision() const override { return execution_.precision; }
  at::Device device() const override { return network_.device(); }

 private:
  Network network_;
  nn::Execution execution_;
};

class NetworkDecoder final : public Decoder {
 public:
  NetworkDecoder(const Network& network, Precision precision)
      : network_(network.frozen(precision)), execution_{.precision = precision} {}
  at::Tensor decode(const at::Tensor& z) const override {
    return network_.forward(z.to(device()), execution_);
  }
  std::int64_t latents() const override { return network_.input_shape()[0]; }
  at::Device device() const override { return network_.device(); }
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
    std::vector<at::Tensor> outputs = forward_in_parts(network_, x.to(device()), execution_);
    return {std::move(outputs[0]), std::move(outputs[1])};
  }
  std::int64_t latents() const override { return network_.output_shape()[0]; }
  const Network* network() const override { return &network_; }
  at::Device device() const override { return network_.device(); }

 private:
  Network network_;
  nn::Execution execution_;
};

}  // namespace

std::unique_ptr<Classifier> as_classifier(const Network& network, Precision precision) {
  const Network flat = with_flat_output(network);
  check_classifier(flat);
  return std::make_unique<NetworkClassifier>(flat, precision);
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
