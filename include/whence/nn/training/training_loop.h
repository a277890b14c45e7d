// The loop around every training: progress, checkpoints, resumption.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "whence/core/progress.h"
#include "whence/nn/graph/network.h"
#include "whence/nn/training/optimizer.h"

namespace whence::nn {

struct LoopOptions {
  std::string stage;  ///< name in progress reports
  std::string
      fingerprint;  ///< what the result depends on; a checkpoint of another fingerprint is not resumed
  std::int64_t steps = 0;
  std::filesystem::path checkpoint;  ///< safetensors file; empty: none
  double checkpoint_seconds = 20;    ///< at most this much work is lost
  /// What steps change beside networks and optimizers, in place; it is part of the checkpoint.
  NamedTensors state = {};
};

struct LoopSummary {
  double seconds = 0;              ///< of all parts when it was interrupted
  double step_seconds_median = 0;  ///< of the last part; 0 when it had no step left to do
  std::int64_t steps = 0;
};

/// Named numbers of a step, each a scalar tensor where the networks lie: to read a GPU's is to wait for all that it still has
/// to do, so the loop reads them seldom.
using Readings = std::vector<std::pair<std::string, at::Tensor>>;

/// Exponential averages of readings, float64; the first ones stand for themselves. They do not influence training.
class SmoothedReadings {
 public:
  explicit SmoothedReadings(double keep = 0.98) : keep_(keep) {}
  /// Anew where other readings come.
  Readings update(const Readings& now);

 private:
  double keep_;
  Readings readings_;
};

/// Calls step(i) for i = first .. steps - 1, where first is 0 or where the checkpoint left off. step(i) must
/// depend on nothing but i, the networks and the optimizers; then resumed training equals uninterrupted
/// training bit for bit. When progress throws because of an interrupt (ExitCode::interrupted), a checkpoint
/// is written before it goes on. Progress tells the readings of every step where they lie on the processor; elsewhere it
/// repeats those of each 50th. Error: a reading that is not finite ("training diverged"), with the step at which it was read and
/// what to change; no checkpoint is written of such a step.
LoopSummary run_training(const LoopOptions& options, const std::vector<Network*>& networks,
                         const std::vector<Optimizer*>& optimizers,
                         const std::function<Readings(std::int64_t step)>& step,
                         const ProgressCallback& progress);
/// The same for a model that is no Network.
LoopSummary run_training(const LoopOptions& options, Parameters& model,
                         const std::vector<Optimizer*>& optimizers,
                         const std::function<Readings(std::int64_t step)>& step,
                         const ProgressCallback& progress);

}  // namespace whence::nn
