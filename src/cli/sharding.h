// --shard and --block of the commands that go over images or draws, and what `whence merge` makes of their parts.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "experiment/results.h"

namespace whence::cli {

struct Sharding {
  const CLI::App* command = nullptr;
  std::string shard;  ///< "": the whole work
  std::int64_t block = 1;
};

/// --shard, and --block where `block` is above 0: how many images are computed together where nothing else is asked for.
void add_sharding(CLI::App& command, Sharding& sharding, std::int64_t block);

/// Error (usage): --shard beside what cannot be divided, such as "--truth".
void refuse_sharding(const Sharding& sharding, const std::string& what);

struct Work {
  std::int64_t items = 0;
  std::string content;        ///< tells other items from these, beside the command's options
  std::filesystem::path out;  ///< --out; "": nothing is written
  /// `figures`: where those of the first block go; "" for all others, and where nothing is drawn.
  std::function<experiment::Results(experiment::Block, const std::filesystem::path& figures)> compute;
};
/// The results of all blocks, or nothing where only a shard was asked for: then its part is in a folder below `out`, whose name was
/// printed; a part that was finished before stays. Errors (usage): --shard without --out; those of parse_shard.
std::optional<experiment::Results> carry_out(const Sharding& sharding, const Work& work);

/// What a command prints and writes when all its results are there: files into `out` unless it is "".
using Finish = void (*)(const experiment::Results& results, const std::filesystem::path& out, bool json);
void finish_ablate(const experiment::Results& results, const std::filesystem::path& out, bool json);
void finish_attribute(const experiment::Results& results, const std::filesystem::path& out, bool json);
void finish_counterfactual(const experiment::Results& results, const std::filesystem::path& out, bool json);
void finish_flow(const experiment::Results& results, const std::filesystem::path& out, bool json);
void finish_morph(const experiment::Results& results, const std::filesystem::path& out, bool json);

}  // namespace whence::cli
