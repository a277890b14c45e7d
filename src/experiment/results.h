// What a command found, item by item, so that the results of many processes can be put together.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiment/shard.h"
#include "whence/nn/graph/network.h"

namespace whence::experiment {

// NOLINTNEXTLINE(bugprone-exception-escape): as StageResult
struct Results {
  nn::NamedTensors rows;                            ///< the first dimension of each counts items, or cases
  nlohmann::json facts = nlohmann::json::array();   ///< one value an item, such as its name
  nlohmann::json about = nlohmann::json::object();  ///< the same for every block: class names, options
  nlohmann::json notes =
      nlohmann::json::object();        ///< what some blocks may have alone; the first block's counts
  std::map<std::string, double> sums;  ///< added up: seconds, numbers of images

  /// Undefined where there is none of the name.
  at::Tensor row(const std::string& name) const;
  bool empty() const { return rows.empty() && facts.empty(); }
};

/// One after the other. A tensor that a block with results lacks is left out. Error: blocks that say different things of what is
/// `about` all.
Results join(const std::vector<Results>& blocks);

/// What the parts of one job have in common.
// NOLINTNEXTLINE(bugprone-exception-escape): as Results
struct Job {
  std::string verb;
  nlohmann::json question;  ///< options and contents of files
  std::int64_t total = 0, block = 1;
};

/// folder/shard-3-of-8
std::filesystem::path part_folder(const std::filesystem::path& folder, const Shard& shard);
/// Whether the shard of this very job was finished there. Error: another job's was.
bool is_part_done(const std::filesystem::path& folder, const Job& job, const Shard& shard);
/// part.safetensors, then part.json: a part with a part.json is whole.
void write_part(const std::filesystem::path& folder, const Job& job, const Shard& shard,
                const Results& results);

// NOLINTNEXTLINE(bugprone-exception-escape): as Results
struct MergedParts {
  Job job;
  Results results;
  std::filesystem::path first;  ///< folder of the first shard, which has the figures
};
/// The parts in `folders`, and in the folders right below them. Errors: a folder without parts; parts of different jobs or numbers of
/// shards; a shard that is missing, or there twice; a damaged part.
MergedParts merge_parts(const std::vector<std::filesystem::path>& folders);

}  // namespace whence::experiment
