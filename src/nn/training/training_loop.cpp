#include "whence/nn/training/training_loop.h"

#include <chrono>

#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"

namespace whence::nn {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Everything a training is after some steps: networks, optimizers, steps and seconds so far.
class Checkpoint {
 public:
  Checkpoint(const LoopOptions& options, const std::vector<Network*>& networks,
             const std::vector<Optimizer*>& optimizers)
      : options_(options), networks_(networks), optimizers_(optimizers) {}

  void save(std::int64_t steps, double seconds) const {
    if (options_.checkpoint.empty()) return;
    NamedTensors tensors;
    for (std::size_t i = 0; i < optimizers_.size(); ++i) {
      for (auto& [name, tensor] : optimizers_[i]->state())
        tensors.push_back({optimizer_prefix(i) + name, tensor});
    }
    for (std::size_t i = 0; i < networks_.size(); ++i) {
      for (auto& [name, tensor] : networks_[i]->state())
        tensors.push_back({prefix(i) + name, tensor.detach()});
    }
    save_safetensors(options_.checkpoint, tensors,
                     {{"fingerprint", options_.fingerprint},
                      {"steps", std::to_string(steps)},
                      {"seconds", fmt::format("{:.6f}", seconds)}});
  }

  /// Steps and seconds done before; (0, 0) when there is nothing to resume.
  std::pair<std::int64_t, double> load() const {
    if (options_.checkpoint.empty() || !std::filesystem::exists(options_.checkpoint)) return {0, 0};
    SafetensorsFile file = load_safetensors(options_.checkpoint);
    if (file.metadata["fingerprint"] != options_.fingerprint) return {0, 0};
    for (std::size_t i = 0; i < optimizers_.size(); ++i) {
      NamedTensors state;
      for (const NamedTensor& own : optimizers_[i]->state())
        state.push_back({own.name, find(file, optimizer_prefix(i) + own.name)});
      optimizers_[i]->load_state(state);
    }
    for (std::size_t i = 0; i < networks_.size(); ++i) {
      NamedTensors state;
      for (const NamedTensor& own : networks_[i]->state())
        state.push_back({own.name, find(file, prefix(i) + own.name)});
      networks_[i]->load_state(state);
    }
    return {std::stoll(file.metadata["steps"]), std::stod(file.metadata["seconds"])};
  }

 private:
  std::string prefix(std::size_t i) const { return networks_[i]->name() + "."; }

  /// The first one's tensors carry no number: most trainings have one optimizer.
  static std::string optimizer_prefix(std::size_t i) { return i == 0 ? "" : fmt::format("{}.", i + 1); }

  at::Tensor find(const SafetensorsFile& file, const std::string& name) const {
    for (const auto& [candidate, tensor] : file.tensors) {
      if (candidate == name) return tensor;
    }
    fail("{}: the checkpoint has no tensor \"{}\"; delete the file to start this training anew",
         options_.checkpoint.string(), name);
  }

  const LoopOptions& options_;
  const std::vector<Network*>& networks_;
  const std::vector<Optimizer*>& optimizers_;
};

double median(std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void check_finite(const Readings& readings, const LoopOptions& options, std::int64_t step) {
  for (const auto& [name, value] : readings) {
    if (!std::isfinite(value)) {
      fail("training of the {} diverged: {} is not a finite number at step {}; lower its learning_rate",
           options.stage, name, step);
    }
  }
}

}  // namespace

LoopSummary run_training(const LoopOptions& options, const std::vector<Network*>& networks,
                         const std::vector<Optimizer*>& optimizers,
                         const std::function<Readings(std::int64_t step)>& step,
                         const ProgressCallback& progress) {
  const Checkpoint checkpoint(options, networks, optimizers);
  const auto [first, seconds_before] = checkpoint.load();
  const auto start = Clock::now();
  auto last_save = start;
  std::vector<double> durations;
  std::int64_t done = first;
  try {
    while (done < options.steps) {
      const auto step_start = Clock::now();
      const Readings readings = step(done);
      check_finite(readings, options, done);
      ++done;
      durations.push_back(seconds_since(step_start));
      if (progress) progress({options.stage, done, options.steps, readings});
      if (seconds_since(last_save) >= options.checkpoint_seconds) {
        checkpoint.save(done, seconds_before + seconds_since(start));
        last_save = Clock::now();
      }
    }
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted) checkpoint.save(done, seconds_before + seconds_since(start));
    throw;
  }
  return {seconds_before + seconds_since(start), median(durations), options.steps};
}

}  // namespace whence::nn
