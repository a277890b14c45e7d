#include <torch/csrc/jit/passes/freeze_module.h>

#include "interchange/script_module.h"
#include "interchange/script_reader.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::nn {
namespace {

constexpr double largest_difference = 1e-4;
constexpr std::int64_t checked_samples = 3;

std::map<const void*, std::string> tensor_names(const torch::jit::Module& module) {
  std::map<const void*, std::string> names;
  for (const auto& buffer : module.named_buffers()) names.emplace(buffer.value.data_ptr(), buffer.name);
  for (const auto& parameter : module.named_parameters())
    names.emplace(parameter.value.data_ptr(), parameter.name);
  return names;
}

Network read_network(const torch::jit::Module& module, const Shape& input) {
  const torch::jit::Module frozen = torch::jit::freeze_module(module);
  const auto name = module.type()->name();
  NetworkBuilder builder(name ? name->name() : "TorchScript", input, tensor_names(module));
  GraphReader reader(builder);
  const std::vector<LayerId> outputs = reader.read(*frozen.get_method("forward").graph());
  return builder.build(outputs);
}

/// Knowing every operation is no proof: the two must agree on numbers.
void check_agreement(const torch::jit::Module& module, const Network& network) {
  std::vector<std::int64_t> sizes = {checked_samples};
  sizes.insert(sizes.end(), network.input_shape().begin(), network.input_shape().end());
  const at::Tensor x = at::rand(sizes, make_generator(0, "nn/translation check"));
  const std::vector<at::Tensor> expected = call(module, x), found = network.forward_all(x);
  if (expected.size() != found.size()) throw Obstacle("a translation with another number of outputs");
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (expected[i].sizes() != found[i].sizes()) throw Obstacle("a translation with another output shape");
    const double scale = std::max(expected[i].abs().max().item<double>(), 1e-12);
    const double difference = (expected[i] - found[i]).abs().max().item<double>() / scale;
    if (!(difference <= largest_difference)) {
      throw Obstacle(
          fmt::format("a translation whose output {} differs by {:.2g} of its largest value", i, difference));
    }
  }
}

}  // namespace

std::optional<Network> ScriptModule::translate(const Shape& input, std::string* obstacle) const {
  try {
    const at::NoGradGuard no_grad;
    Network network = read_network(implementation_->module, input);
    check_agreement(implementation_->module, network);
    return network;
  } catch (const std::exception& error) {
    if (obstacle != nullptr) *obstacle = sentence_of(error);
    return std::nullopt;
  }
}

}  // namespace whence::nn
