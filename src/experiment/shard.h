// One job done by many processes: which part of its items each of them has.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace whence::experiment {

/// Neighbouring items (images, batches of draws) that are computed together. Sums inside a matrix product depend on its number of rows, so
/// the same bits come out of one process and of many only if both compute the same blocks.
struct Block {
  std::int64_t first = 0, count = 0;
};

/// Part `index` (from 0) of `count` parts of a job.
struct Shard {
  std::int64_t index = 0, count = 1;

  bool whole() const { return count == 1; }
  std::string name() const;  ///< "3-of-8", counted from 1
  /// The shard's blocks of `size` items, the last one perhaps shorter; whole blocks, neighbours, in order. None where there are more shards than blocks.
  std::vector<Block> blocks(std::int64_t total, std::int64_t size) const;
};

/// The value of an environment variable; "" where it is not set.
using Environment = std::function<std::string(const char* name)>;
Environment process_environment();

/// "3/8", or "auto", which asks the environment:
///   SLURM_ARRAY_TASK_ID, _MIN, _STEP, _COUNT        a task of a Slurm array
///   OMPI_COMM_WORLD_RANK, _SIZE                     a process of Open MPI's mpirun
///   RANK, WORLD_SIZE                                a process of torchrun
///   SLURM_PROCID, SLURM_STEP_NUM_TASKS or _NTASKS   a task of srun
/// The first of the last three counts. Inside a task of an array its processes divide the task's share once more.
/// Errors (usage): another text; "auto" with none of them, or with numbers that do not fit.
Shard parse_shard(const std::string& text, const Environment& environment = process_environment());

}  // namespace whence::experiment
