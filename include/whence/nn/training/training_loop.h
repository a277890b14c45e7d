// The loop around every training: progress, checkpoints, resumption.
#pragma once

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
};

struct LoopSummary {
  double seconds = 0;              ///< of all parts when it was interrupted
  double step_seconds_median = 0;  ///< of the last part; 0 when it had no step left to do
  std::int64_t steps = 0;
};

using Readings = std::vector<std::pair<std::string, double>>;

/// Calls step(i) for i = first .. steps - 1, where first is 0 or where the checkpoint left off. step(i) must
/// depend on nothing but i, the networks and the optimizers; then resumed training equals uninterrupted
/// training bit for bit. When progress throws because of an interrupt (ExitCode::interrupted), a checkpoint
/// is written before it goes on. Error: a reading that is not finite ("training diverged"), with the step and
/// what to change.
LoopSummary run_training(const LoopOptions& options, const std::vector<Network*>& networks,
                         const std::vector<Optimizer*>& optimizers,
                         const std::function<Readings(std::int64_t step)>& step,
                         const ProgressCallback& progress);

}  // namespace whence::nn
