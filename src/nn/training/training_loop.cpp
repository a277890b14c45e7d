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

/// What a checkpoint keeps of a model: a Network, or Parameters.
struct Model {
  std::string name;
  std::function<NamedTensors()> state;
  std::function<void(const NamedTensors&)> load_state;
};
template <class Trained>
Model as_model(Trained& trained) {
  return {trained.name(), [&] { return trained.state(); },
          [&](const NamedTensors& state) { trained.load_state(state); }};
}

/// Everything a training is after some steps: models, optimizers, steps and seconds so far.
class Checkpoint {
 public:
  Checkpoint(const LoopOptions& options, const std::vector<Model>& models,
             const std::vector<Optimizer*>& optimizers)
      : options_(options), models_(models), optimizers_(optimizers) {}

  void save(std::int64_t steps, double seconds) const {
    if (options_.checkpoint.empty()) return;
    NamedTensors tensors;
    for (std::size_t i = 0; i < optimizers_.size(); ++i) {
      for (auto& [name, tensor] : optimizers_[i]->state())
        tensors.push_back({optimizer_prefix(i) + name, tensor});
    }
    for (const Model& model : models_)
      for (auto& [name, tensor] : model.state()) tensors.push_back({prefix(model) + name, tensor.detach()});
    for (const NamedTensor& own : options_.state) tensors.push_back(own);
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
    for (const Model& model : models_) {
      NamedTensors state;
      for (const NamedTensor& own : model.state())
        state.push_back({own.name, find(file, prefix(model) + own.name)});
      model.load_state(state);
    }
    for (const NamedTensor& own : options_.state) own.tensor.copy_(find(file, own.name));
    return {std::stoll(file.metadata["steps"]), std::stod(file.metadata["seconds"])};
  }

 private:
  static std::string prefix(const Model& model) { return model.name + "."; }

  /// The first one's tensors carry no number: most trainings have one optimizer.
  static std::string optimizer_prefix(std::size_t i) { return i == 0 ? "" : fmt::format("{}.", i + 1); }

  at::Tensor find(const SafetensorsFile& file, const std::string& name) const {
    for (const auto& [candidate, tensor] : file.tensors) {
      if (candidate == name) return tensor;
    }
    fail("{}: the checkpoint has no tensor \"{}\"; delete the file to restart this training",
         options_.checkpoint.string(), name);
  }

  const LoopOptions& options_;
  const std::vector<Model>& models_;
  const std::vector<Optimizer*>& optimizers_;
};

double median(std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

constexpr std::int64_t kReadEvery = 50;

using Values = std::vector<std::pair<std::string, double>>;

/// Waits once for all of them.
Values values_of(const Readings& readings) {
  Values values;
  if (readings.empty()) return values;
  std::vector<at::Tensor> scalars;
  for (const auto& [name, reading] : readings) scalars.push_back(reading.detach().to(at::kDouble));
  const at::Tensor all = at::stack(scalars).cpu();
  for (std::size_t i = 0; i < readings.size(); ++i)
    values.emplace_back(readings[i].first, all[static_cast<std::int64_t>(i)].item<double>());
  return values;
}

bool cost_no_wait(const Readings& readings) {
  return std::all_of(readings.begin(), readings.end(),
                     [](const auto& entry) { return entry.second.is_cpu(); });
}

void check_finite(const Values& values, const LoopOptions& options, std::int64_t step) {
  for (const auto& [name, value] : values) {
    if (!std::isfinite(value)) {
      fail("training of the {} diverged: {} is not a finite number at step {}; lower its learning_rate",
           options.stage, name, step);
    }
  }
}

LoopSummary run(const LoopOptions& options, const std::vector<Model>& models,
                const std::vector<Optimizer*>& optimizers,
                const std::function<Readings(std::int64_t step)>& step, const ProgressCallback& progress) {
  const Checkpoint checkpoint(options, models, optimizers);
  const auto [first, seconds_before] = checkpoint.load();
  const auto start = Clock::now();
  auto last_save = start;
  std::vector<double> durations;
  std::int64_t done = first;
  Values values;  // the last ones that were read
  try {
    while (done < options.steps) {
      const auto step_start = Clock::now();
      const Readings readings = step(done);
      const bool saves = seconds_since(last_save) >= options.checkpoint_seconds;
      if (saves || cost_no_wait(readings) || (done + 1) % kReadEvery == 0 || done + 1 == options.steps) {
        values = values_of(readings);
        check_finite(values, options, done);
      }
      ++done;
      durations.push_back(seconds_since(step_start));
      if (progress) progress({options.stage, done, options.steps, values});
      if (saves) {
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

}  // namespace

Readings SmoothedReadings::update(const Readings& now) {
  const bool anew = readings_.size() != now.size();
  if (anew) readings_ = now;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const at::Tensor value = now[i].second.detach().to(at::kDouble);
    readings_[i].second = anew ? value : keep_ * readings_[i].second + (1 - keep_) * value;
  }
  return readings_;
}

LoopSummary run_training(const LoopOptions& options, const std::vector<Network*>& networks,
                         const std::vector<Optimizer*>& optimizers,
                         const std::function<Readings(std::int64_t step)>& step,
                         const ProgressCallback& progress) {
  std::vector<Model> models;
  for (Network* network : networks) models.push_back(as_model(*network));
  return run(options, models, optimizers, step, progress);
}

LoopSummary run_training(const LoopOptions& options, Parameters& model,
                         const std::vector<Optimizer*>& optimizers,
                         const std::function<Readings(std::int64_t step)>& step,
                         const ProgressCallback& progress) {
  return run(options, {as_model(model)}, optimizers, step, progress);
}

}  // namespace whence::nn
