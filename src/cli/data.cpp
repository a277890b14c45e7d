// whence data: what is known, where it was found, and whether it is whole.
#include <iostream>

#include "commands.h"
#include "whence/core/error.h"
#include "whence/data/known.h"

namespace whence::cli {
namespace {

struct DataArguments {
  std::string name, path;
  bool json = false;
};

void list_sets(bool json) {
  nlohmann::json sets = nlohmann::json::array();
  for (const data::KnownSet& set : data::known_sets()) {
    const auto place_of = data::locate(set);
    sets.push_back({{"name", set.name},
                    {"title", set.title},
                    {"classes", set.class_names},
                    {"folder", place_of ? nlohmann::json(place_of->folder.string()) : nlohmann::json()},
                    {"package", set.package}});
    if (json) continue;
    std::string place = place_of ? place_of->folder.string() : "not found";
    if (!place_of && !set.package.empty()) place += fmt::format(" (apt-get install {})", set.package);
    std::cout << fmt::format("{:<14} {}\n", set.name, place);
    for (std::size_t i = 0; i < set.class_names.size(); ++i) {
      std::cout << fmt::format("{}{} {}", i == 0 ? "               " : ", ", i, set.class_names[i]);
    }
    std::cout << "\n";
  }
  if (json) std::cout << sets.dump(2) << "\n";
}

void check_set(const data::KnownSet& set, const std::optional<std::filesystem::path>& path) {
  const data::Splits splits = data::load(set, {}, path);
  const auto count = [](const data::Dataset& part) { return part.labels.defined() ? part.size() : 0; };
  const auto shape = splits.train.images.sizes();
  std::cout << fmt::format(
      "{}: {} training, {} validation and {} test images of {} x {}, {} classes: whole\n", set.name,
      count(splits.train), count(splits.validation), count(splits.test), shape[2], shape[3],
      splits.train.classes());
}

void check(const DataArguments& arguments) {
  std::optional<std::filesystem::path> path;
  if (!arguments.path.empty()) path = arguments.path;
  if (!arguments.name.empty()) return check_set(data::known_set(arguments.name), path);
  if (path) fail_usage("--path needs the name of the data set that lies there");
  bool found = false;
  for (const data::KnownSet& set : data::known_sets()) {
    if (!data::locate(set)) continue;
    found = true;
    check_set(set, {});
  }
  if (!found) fail("no known data set was found; `whence data list` tells which package has one");
}

}  // namespace

void add_data(CLI::App& program, Command& chosen) {
  CLI::App* command =
      add_command(program, "data", "Lists the known data sets, or checks that one is whole",
                  {"data list", "data check fashion-mnist", "data check mnist --path ~/mnist"});
  command->require_subcommand(1);
  auto arguments = std::make_shared<DataArguments>();
  CLI::App* list =
      command->add_subcommand("list", "The known data sets, their classes and where they were found");
  list->add_flag("--json", arguments->json, "Prints JSON");
  list->callback([&chosen, arguments] { chosen = [arguments] { list_sets(arguments->json); }; });
  CLI::App* checking =
      command->add_subcommand("check", "Reads a data set through and says what is wrong with it");
  checking->add_option("name", arguments->name, "The data set (default: all that are found)")
      ->type_name("SET");
  checking->add_option("--path", arguments->path, "The folder of its four IDX files")->type_name("DIR");
  checking->callback([&chosen, arguments] { chosen = [arguments] { check(*arguments); }; });
}

}  // namespace whence::cli
