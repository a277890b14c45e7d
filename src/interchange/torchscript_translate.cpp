#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/passes/freeze_module.h>

#include "interchange/script_answer.h"
#include "interchange/script_reader.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::nn {
namespace {

constexpr double largest_difference = 1e-4;
constexpr std::int64_t checked_samples = 2;

std::map<const void*, std::string> tensor_names(const torch::jit::Module& module) {
  std::map<const void*, std::string> names;
  for (const auto& buffer : module.named_buffers()) names.emplace(buffer.value.data_ptr(), buffer.name);
  for (const auto& parameter : module.named_parameters())
    names.emplace(parameter.value.data_ptr(), parameter.name);
  return names;
}

Network read_network(const torch::jit::Module& module, const std::string& entry, const Shape& input) {
  const torch::jit::Module frozen = torch::jit::freeze_module(module);
  const auto name = module.type()->name();
  NetworkBuilder builder(name ? name->name() : "TorchScript", input, tensor_names(module));
  GraphReader reader(builder);
  const std::vector<LayerId> outputs = reader.read(*frozen.get_method("forward").graph(), entry);
  return builder.build(outputs);
}

/// What a module or network returns for an image x.
struct Answer {
  at::Tensor x;
  std::vector<at::Tensor> outputs;
};

template <class Function>
Answer answer_of(const Function& function, const at::Tensor& image) {
  const at::AutoGradMode recorded(true);
  const at::Tensor x = image.clone().requires_grad_();
  return {x, function(x)};
}

/// Of a random sum of the outputs, in x; undefined where there is none. Throws where an operation passes none back.
at::Tensor gradient_of(const Answer& answer) {
  const at::AutoGradMode recorded(true);
  const Generator generator = make_generator(0, "nn/translation weights");
  at::Tensor sum = at::zeros({}, answer.x.options().requires_grad(false));
  for (const at::Tensor& output : answer.outputs) {
    const at::Tensor weights = at::rand(output.sizes(), generator, sum.options());
    if (output.requires_grad()) sum = sum + (output * weights).sum();
  }
  if (!sum.requires_grad()) return {};
  return torch::autograd::grad({sum}, {answer.x}, {}, /*retain_graph=*/false, /*create_graph=*/false,
                               /*allow_unused=*/true)
      .front();
}

void check_outputs(const Answer& expected, const Answer& found) {
  if (expected.outputs.size() != found.outputs.size())
    throw Obstacle("a translation with another number of outputs");
  for (std::size_t i = 0; i < found.outputs.size(); ++i) {
    const at::Tensor theirs = expected.outputs[i].detach(), own = found.outputs[i].detach();
    if (theirs.sizes() != own.sizes()) throw Obstacle("a translation with another output shape");
    if (!at::isfinite(theirs).all().item<bool>())
      throw Obstacle(fmt::format("an output {} that is NaN or infinite for random inputs", i));
    const double scale = std::max(theirs.abs().max().item<double>(), 1e-12);
    const double difference = (theirs - own).abs().max().item<double>() / scale;
    if (!(difference <= largest_difference)) {
      throw Obstacle(
          fmt::format("a translation whose output {} differs by {:.2g} of its largest value", i, difference));
    }
  }
}

/// How far the gradients are apart as vectors, as a part of their size. 0 where the module's own cannot be taken, because it changes in place
/// what its gradient needs: the outputs agree, and the layers have the gradient that was meant.
double gradient_difference(const Answer& expected, const Answer& found) {
  at::Tensor theirs;
  try {
    theirs = gradient_of(expected);
  } catch (const std::exception&) {
    return 0;
  }
  if (!theirs.defined()) throw Obstacle("an answer without a gradient");
  const at::Tensor own = gradient_of(found);
  if (!own.defined()) throw Obstacle("a translation without a gradient");
  return (theirs - own).norm().item<double>() / std::max(theirs.norm().item<double>(), 1e-12);
}

/// In float64, where no ReLU falls on the other side of 0 by rounding, as in a deep network some always do.
double exact_gradient_difference(const torch::jit::Module& module, const std::string& entry,
                                 const Network& network, const at::Tensor& image) {
  torch::jit::Module exact_module = module.deepcopy();
  exact_module.to(at::kDouble);
  const Network exact = network.clone();
  for (const NamedTensor& own : exact.state()) own.tensor.set_data(own.tensor.to(at::kDouble));
  const at::Tensor exact_image = image.to(at::kDouble);
  return gradient_difference(
      answer_of([&](const at::Tensor& x) { return call(exact_module, "forward", entry, {x}); }, exact_image),
      answer_of([&](const at::Tensor& x) { return exact.forward_all(x); }, exact_image));
}

/// Knowing every operation is no proof: the two must agree on numbers, and on how these change.
void check_agreement(const torch::jit::Module& module, const std::string& entry, const Network& network) {
  std::vector<std::int64_t> sizes = {checked_samples};
  sizes.insert(sizes.end(), network.input_shape().begin(), network.input_shape().end());
  const at::Tensor image = at::rand(sizes, make_generator(0, "nn/translation check"));
  const Answer expected =
      answer_of([&](const at::Tensor& x) { return call(module, "forward", entry, {x}); }, image);
  const Answer found = answer_of([&](const at::Tensor& x) { return network.forward_all(x); }, image);
  check_outputs(expected, found);
  double difference = gradient_difference(expected, found);
  if (difference <= largest_difference) return;
  difference = exact_gradient_difference(module, entry, network, image);
  if (!(difference <= largest_difference))
    throw Obstacle(fmt::format("a translation whose gradient differs by {:.2g} of its size", difference));
}

}  // namespace

std::optional<Network> ScriptModule::translate(const Shape& input, std::string* obstacle) const {
  std::string reason;
  try {
    const at::NoGradGuard no_grad;
    const Implementation& own = *implementation_;
    Network network = read_network(own.module, own.entry, input);
    check_agreement(own.module, own.entry, network);
    return network;
  } catch (const Obstacle& found) {
    reason = found.what();
  } catch (const Error& error) {
    reason = error.what();
  } catch (const std::exception&) {
    reason = "code that is not understood";
  }
  if (obstacle != nullptr) *obstacle = reason;
  return std::nullopt;
}

}  // namespace whence::nn
