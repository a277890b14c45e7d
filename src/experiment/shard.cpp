#include "experiment/shard.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "whence/core/error.h"

namespace whence::experiment {
namespace {

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// The number in a variable; nothing where it is not set.
std::optional<std::int64_t> number_in(const Environment& environment, const std::string& name) {
  const std::string text = environment(name.c_str());
  if (text.empty()) return {};
  if (const auto value = whole_number(text)) return value;
  fail_usage("the environment variable {} is '{}', but --shard auto needs a whole number; give --shard I/N",
             name, text);
}

Shard fitting(std::int64_t index, std::int64_t count, const std::string& source) {
  if (count < 1 || index < 0 || index >= count)
    fail_usage("{} says that this is process {} of {}, which cannot be; give --shard I/N", source, index,
               count);
  return {index, count};
}

std::optional<Shard> array_task(const Environment& environment) {
  const auto id = number_in(environment, "SLURM_ARRAY_TASK_ID");
  if (!id) return {};
  const auto count = number_in(environment, "SLURM_ARRAY_TASK_COUNT");
  if (!count)
    fail_usage(
        "SLURM_ARRAY_TASK_ID is set, but not SLURM_ARRAY_TASK_COUNT, so the number of shards is unknown; "
        "give --shard I/N");
  const std::int64_t least = number_in(environment, "SLURM_ARRAY_TASK_MIN").value_or(0);
  const std::int64_t step =
      std::max<std::int64_t>(1, number_in(environment, "SLURM_ARRAY_TASK_STEP").value_or(1));
  return fitting((*id - least) / step, *count, "SLURM_ARRAY_TASK_ID");
}

/// `size`: the names that may hold the number of processes; the first that is set counts.
std::optional<Shard> process(const Environment& environment, const std::string& rank,
                             const std::vector<std::string>& size) {
  const auto index = number_in(environment, rank);
  if (!index) return {};
  for (const std::string& name : size)
    if (const auto count = number_in(environment, name)) return fitting(*index, *count, rank);
  return {};
}

Shard shard_of(const Environment& environment) {
  const std::optional<Shard> array = array_task(environment);
  // sbatch sets SLURM_PROCID and SLURM_NTASKS for its script, too, which is one process; srun alone sets the other name.
  std::vector<std::string> sizes = {"SLURM_STEP_NUM_TASKS"};
  if (!array) sizes.emplace_back("SLURM_NTASKS");
  std::optional<Shard> inner = process(environment, "OMPI_COMM_WORLD_RANK", {"OMPI_COMM_WORLD_SIZE"});
  if (!inner) inner = process(environment, "RANK", {"WORLD_SIZE"});
  if (!inner) inner = process(environment, "SLURM_PROCID", sizes);
  if (!array && !inner)
    fail_usage(
        "--shard auto finds none of SLURM_ARRAY_TASK_ID, SLURM_PROCID, OMPI_COMM_WORLD_RANK and RANK with "
        "their "
        "numbers of processes in the environment; give --shard I/N");
  const Shard outer = array.value_or(Shard{}), own = inner.value_or(Shard{});
  return {outer.index * own.count + own.index, outer.count * own.count};
}

}  // namespace

std::string Shard::name() const { return fmt::format("{}-of-{}", index + 1, count); }

std::vector<Block> Shard::blocks(std::int64_t total, std::int64_t size) const {
  TORCH_CHECK(size > 0 && total >= 0 && index >= 0 && index < count, "a shard of ", total,
              " items in blocks of ", size);
  const std::int64_t all = (total + size - 1) / size;
  // As evenly as whole blocks allow: the first all % count shards have one more.
  const std::int64_t share = all / count, more = all % count;
  const std::int64_t first = index * share + std::min(index, more),
                     last = first + share + (index < more ? 1 : 0);
  std::vector<Block> own;
  for (std::int64_t block = first; block < last; ++block)
    own.push_back({block * size, std::min(size, total - block * size)});
  return own;
}

Environment process_environment() {
  return [](const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
    return std::string(value == nullptr ? "" : value);
  };
}

Shard parse_shard(const std::string& text, const Environment& environment) {
  if (text == "auto") return shard_of(environment);
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos) {
    const auto index = whole_number(text.substr(0, slash)), count = whole_number(text.substr(slash + 1));
    if (index && count && *index >= 1 && *index <= *count) return {*index - 1, *count};
  }
  fail_usage("--shard is '{}', but must be I/N with I from 1 to N, such as 3/8, or auto", text);
}

}  // namespace whence::experiment
