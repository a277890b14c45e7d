#include "cli/sharding.h"

#include <algorithm>
#include <iostream>
#include <set>

#include "cli/options.h"
#include "experiment/folder.h"
#include "experiment/version.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;
using experiment::Results;
using experiment::Shard;

/// A file, or what a run folder's stages came to: the same wherever it lies.
std::string content_of(const fs::path& path) {
  if (!fs::is_directory(path)) return experiment::fingerprint_of(read_file(path));
  std::vector<fs::path> stamps;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(experiment::RunFolder(path).stamp("any").parent_path(), error))
    if (entry.path().extension() == ".json") stamps.push_back(entry.path());
  std::ranges::sort(stamps);
  std::string all;
  for (const fs::path& stamp : stamps) all += stamp.filename().string() + read_file(stamp);
  return experiment::fingerprint_of(all);
}

/// The options that were given, but for those that do not change the results.
nlohmann::json question_of(const CLI::App& command) {
  static const std::set<std::string> ignored = {"help",  "help-all", "out",    "shard",
                                                "block", "json",     "threads"};
  static const std::set<std::string> files = {"run",     "classifier",  "encoder",
                                              "decoder", "independent", "picture"};
  nlohmann::json question = {{"whence", experiment::version()}};
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_single_name();
    if (option->count() == 0 || ignored.contains(name)) continue;
    std::vector<std::string> values = option->results();
    if (files.contains(name)) std::ranges::transform(values, values.begin(), content_of);
    // A data set may lie elsewhere on another machine; Work::content tells one from another.
    if (name == "data")
      std::ranges::transform(values, values.begin(),
                             [](const fs::path& path) { return path.filename().string(); });
    question[name] = values;
  }
  return question;
}

Results compute_blocks(const std::vector<experiment::Block>& blocks, const Work& work,
                       const fs::path& figures) {
  std::vector<Results> all;
  for (const experiment::Block& block : blocks)
    all.push_back(work.compute(block, block.first == 0 ? figures : fs::path()));
  return experiment::join(all);
}

}  // namespace

void add_sharding(CLI::App& command, Sharding& sharding, std::int64_t block) {
  sharding.command = &command;
  command
      .add_option("--shard", sharding.shard,
                  "Part I of N of the work, from 1/N to N/N, or auto for what Slurm, Open MPI or torchrun "
                  "say; goes to a "
                  "folder in --out, and whence merge puts the parts together")
      ->type_name("I/N|auto");
  if (block == 0) return;
  sharding.block = block;
  command
      .add_option(
          "--block", sharding.block,
          "Images that are computed together; a shard has whole blocks, and other blocks round differently")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000))
      ->capture_default_str();
}

void refuse_sharding(const Sharding& sharding, const std::string& what) {
  if (!sharding.shard.empty()) fail_usage("{} cannot be divided; leave out --shard", what);
}

std::optional<Results> carry_out(const Sharding& sharding, const Work& work) {
  if (sharding.shard.empty())
    return compute_blocks(Shard{}.blocks(work.items, sharding.block), work, work.out);
  const Shard shard = experiment::parse_shard(sharding.shard);
  if (work.out.empty()) fail_usage("--shard needs --out, the folder that all shards write their parts to");
  nlohmann::json question = question_of(*sharding.command);
  question["content"] = work.content;
  const experiment::Job job{sharding.command->get_name(), std::move(question), work.items, sharding.block};
  const fs::path folder = experiment::part_folder(work.out, shard);
  if (!experiment::is_part_done(folder, job, shard)) {
    fs::create_directories(folder);
    experiment::write_part(folder, job, shard,
                           compute_blocks(shard.blocks(work.items, sharding.block), work, folder));
  }
  std::cout << folder.string() << "\n";
  return {};
}

}  // namespace whence::cli
