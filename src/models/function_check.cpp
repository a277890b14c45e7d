#include "models/function_check.h"

#include <torch/csrc/autograd/autograd.h>

#include "nn/graph/shapes.h"
#include "whence/core/error.h"

namespace whence::models {
namespace {

using nn::ScriptModule;
using Tensors = std::vector<at::Tensor>;

constexpr std::int64_t most_samples = 8, most_large_samples = 2;
/// Values of an image from which on the checks take few of them.
constexpr std::int64_t large = 30'000;
/// Differences of answers that are the same but for rounding, as a part of the largest value: of the same computation, and of one
/// with another batch size, for which LibTorch may sum in another order.
constexpr double same_computation = 1e-5, same_answer = 1e-3;

bool agree(const Tensors& a, const Tensors& b, std::int64_t rows, double tolerance) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].dim() != b[i].dim() || a[i].size(0) < rows || b[i].size(0) < rows) return false;
    const at::Tensor first = a[i].narrow(0, 0, rows).to(at::kFloat),
                     second = b[i].narrow(0, 0, rows).to(at::kFloat);
    if (first.sizes() != second.sizes()) return false;
    if (first.numel() == 0) continue;
    const double scale = std::max(first.abs().max().item<double>(), 1e-12);
    if (!((first - second).abs().max().item<double>() <= tolerance * scale)) return false;
  }
  return true;
}

/// One row of each output.
Tensors row_of(Tensors outputs, std::int64_t row) {
  for (at::Tensor& output : outputs)
    if (output.dim() > 0 && output.size(0) > row) output = output.narrow(0, row, 1);
  return outputs;
}

/// Whether the module gives `count` rows for as many samples.
bool accepts(const ScriptModule& module, const at::Tensor& samples, std::int64_t count) {
  const std::int64_t times = (count + samples.size(0) - 1) / samples.size(0);
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(samples.dim()), 1);
  repeats[0] = times;
  try {
    const Tensors outputs = module(samples.repeat(repeats).narrow(0, 0, count));
    return std::all_of(outputs.begin(), outputs.end(),
                       [&](const at::Tensor& output) { return output.dim() > 0 && output.size(0) == count; });
  } catch (const Error&) {
    return false;
  }
}

/// Error: a module that takes one other number of samples only.
void refuse_fixed_batch(const ScriptModule& module, const at::Tensor& samples) {
  std::vector<std::int64_t> accepted;
  for (const std::int64_t count : {1, 2, 3, 4, 5, 6, 7, 8, 10, 16, 32, 64, 100, 128})
    if (count != samples.size(0) && accepts(module, samples, count)) accepted.push_back(count);
  if (accepted.size() != 1) return;
  fail(
      "{} accepts only batches of {}, which its export fixed; write x.flatten(1) for a view with a batch "
      "size, "
      "and export it with torch.jit.script, or as .pt2 with a batch of any size (torch.export.Dim)",
      name_of(module), accepted.front());
}

Tensors answer_of_batch(const ScriptModule& module, const at::Tensor& samples) {
  Tensors outputs;
  try {
    outputs = module(samples);
  } catch (const Error&) {
    refuse_fixed_batch(module, samples);
    throw;
  }
  const bool rows = std::all_of(outputs.begin(), outputs.end(), [&](const at::Tensor& output) {
    return output.dim() > 0 && output.size(0) == samples.size(0);
  });
  if (!rows) refuse_fixed_batch(module, samples);
  return outputs;
}

void check_values(const ScriptModule& module, const at::Tensor& output, const at::Tensor& samples) {
  if (!output.is_floating_point() || output.dim() < 1 || output.size(0) != samples.size(0)) {
    fail(
        "{} returns a tensor of shape {} and type {} for a batch of {}; it must return floating-point "
        "numbers with "
        "one row per sample",
        name_of(module), nn::text_of(output.sizes()), at::toString(output.scalar_type()), samples.size(0));
  }
  if (!at::isfinite(output).all().item<bool>()) {
    fail(
        "{} returns NaN or infinity for an input of shape {}; check its weights and the range of the "
        "inputs it "
        "expects (here {:.3g} to {:.3g})",
        name_of(module), nn::text_of(samples.sizes()), samples.min().item<double>(),
        samples.max().item<double>());
  }
}

void check_not_random(const ScriptModule& module, const at::Tensor& samples) {
  const std::string operation = module.random_operation();
  if (!operation.empty())
    fail(
        "the answer of {} is random: {} draws new numbers at every call; call model.eval() before the "
        "export, and "
        "give functions training=self.training",
        name_of(module), operation);
  if (agree(module(samples.narrow(0, 0, 1)), module(samples.narrow(0, 0, 1)), 1, same_computation)) return;
  fail(
      "{} gives other answers when it is asked again; export it in evaluation mode, without random "
      "numbers",
      name_of(module));
}

/// The first sample alone, and beside others that change.
void check_alone(const ScriptModule& module, const at::Tensor& samples, const Tensors& outputs) {
  const at::Tensor first = samples.narrow(0, 0, 1);
  const auto refuse = [&](std::string_view how) {
    fail(
        "{} gives another answer for a sample {}; export it in evaluation mode, with softmax over dimension "
        "1 and batch "
        "norms that use their running statistics, so that samples do not change one another's answers",
        name_of(module), how);
  };
  if (samples.size(0) > 1) {
    if (!accepts(module, samples, 1)) refuse_fixed_batch(module, first);
    if (!agree(outputs, module(first), 1, same_answer)) refuse("alone than in a batch");
  } else if (!accepts(module, samples, 2)) {
    refuse_fixed_batch(module, at::cat({first, first}));
  }
  // In second place of four, it changes with those before it, with those behind it, and when their order is turned.
  const auto beside = [&](const at::Tensor& other) {
    return row_of(module(at::cat({other, first, other, other})), 1);
  };
  if (!agree(beside(1 - first), beside(3 * first + 2), 1, same_computation))
    refuse("beside other samples of the batch");
}

}  // namespace

ScriptModule load_frozen(const std::filesystem::path& file) {
  ScriptModule module(file);
  module.require_gradients(false);
  return module;
}

at::Tensor checked_samples(const at::Tensor& probe) {
  const std::int64_t most = probe[0].numel() < large ? most_samples : most_large_samples;
  return probe.narrow(0, 0, std::min(most, probe.size(0))).cpu();
}

Tensors checked_outputs(const ScriptModule& module, const at::Tensor& samples) {
  const at::NoGradGuard no_grad;
  Tensors outputs = answer_of_batch(module, samples);
  for (at::Tensor& output : outputs) {
    check_values(module, output, samples);
    output = output.to(at::kFloat);
  }
  check_not_random(module, samples);
  check_alone(module, samples, outputs);
  return outputs;
}

std::string gradient_obstacle(const ScriptModule& module, const at::Tensor& samples) {
  const at::AutoGradMode recorded(true);
  const at::Tensor x = samples.narrow(0, 0, 1).clone().requires_grad_();
  constexpr const char* remedy =
      "methods that need none still work (occlusion, rise, shapley_sampling); export it without "
      "torch.no_grad(), "
      ".detach() and operations that have no gradient";
  try {
    at::Tensor sum = at::zeros({}, x.options());
    for (const at::Tensor& output : module(x))
      if (output.requires_grad()) sum = sum + output.sum();
    if (!sum.requires_grad()) return fmt::format("{} gives no gradient; {}", name_of(module), remedy);
    torch::autograd::grad({sum}, {x}, {}, /*retain_graph=*/false, /*create_graph=*/false,
                          /*allow_unused=*/true);
    return "";
  } catch (const std::exception&) {
    return fmt::format("{} gives no gradient, because its operations do not pass one back; {}",
                       name_of(module), remedy);
  }
}

}  // namespace whence::models
