// whence merge: one result of the parts that --shard left.
#include <iostream>

#include "cli/commands.h"
#include "cli/sharding.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct MergeArguments {
  std::vector<std::string> parts;
  std::string out;
  bool json = false;
};

const std::map<std::string, Finish>& finishes() {
  static const std::map<std::string, Finish> all = {{"ablate", finish_ablate},
                                                    {"attribute", finish_attribute},
                                                    {"counterfactual", finish_counterfactual},
                                                    {"flow", finish_flow},
                                                    {"morph", finish_morph}};
  return all;
}

/// Those that need the models were drawn by the first shard.
void copy_figures(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".png" || path.extension() == ".svg")
      write_file(to / path.filename(), read_file(path));
  }
}

void merge(const MergeArguments& arguments) {
  const experiment::MergedParts merged =
      experiment::merge_parts({arguments.parts.begin(), arguments.parts.end()});
  const auto finish = finishes().find(merged.job.verb);
  if (finish == finishes().end())
    fail("{} is a part of `whence {}`, which this whence cannot merge", merged.first.string(),
         merged.job.verb);
  copy_figures(merged.first, arguments.out);
  finish->second(merged.results, arguments.out, arguments.json);
}

}  // namespace

void add_merge(CLI::App& program, Command& chosen) {
  CLI::App* command =
      add_command(program, "merge", "Puts together the parts that a command with --shard left",
                  {"merge parts --out figures", "merge a/shard-1-of-2 b/shard-2-of-2 --out figures --json"});
  auto arguments = std::make_shared<MergeArguments>();
  command->add_option("parts", arguments->parts, "Folders of parts, or folders that hold them")
      ->required()
      ->type_name("DIR...");
  command
      ->add_option("--out", arguments->out,
                   "The folder of the result: what the command itself would write without --shard")
      ->required()
      ->type_name("DIR");
  command->add_flag("--json", arguments->json, "Prints JSON");
  command->callback([&chosen, arguments] { chosen = [arguments] { merge(*arguments); }; });
}

}  // namespace whence::cli
