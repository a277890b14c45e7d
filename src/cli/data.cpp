// whence data: lists, checks and fetches the known data sets.
#include <fmt/ranges.h>

#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/data_text.h"
#include "cli/flags.h"
#include "cli/setup.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/data/fetch.h"
#include "whence/data/known.h"

namespace fs = std::filesystem;

namespace whence::cli {
namespace {

struct DataArguments {
  std::string name, path, to, from;
  std::vector<std::string> vectors;
  double patience = data::FetchOptions().patience;
  bool json = false;
};

std::int64_t bytes_below(const fs::path& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->is_regular_file(error)) bytes += static_cast<std::int64_t>(at->file_size(error));
  }
  return bytes;
}

std::string how_to_get(const data::KnownSet& set) {
  const std::string fetch = fmt::format("whence data fetch {}", set.name);
  return set.package.empty() ? fetch : fmt::format("{}, or apt-get install {}", fetch, set.package);
}

nlohmann::json as_json(const data::KnownSet& set, const std::optional<data::Place>& place) {
  nlohmann::json facts = {{"name", set.name},      {"title", set.title}, {"classes", set.class_names},
                          {"folder", nullptr},     {"layout", nullptr},  {"bytes", nullptr},
                          {"package", set.package}};
  if (place) {
    facts["folder"] = place->folder.string();
    facts["layout"] = data::description_of(place->layout);
    facts["bytes"] = bytes_below(place->folder);
  }
  return facts;
}

void print(const data::KnownSet& set, const std::optional<data::Place>& place) {
  const std::string found =
      place ? fmt::format("{} ({}, {:.1f} MB)", place->folder.string(), data::description_of(place->layout),
                          static_cast<double>(bytes_below(place->folder)) / 1e6)
            : fmt::format("not found ({})", how_to_get(set));
  std::cout << fmt::format("{:<14} {}\n", set.name, found);
  for (std::size_t i = 0; i < set.class_names.size(); ++i) {
    std::cout << fmt::format("{}{} {}", i == 0 ? "               " : ", ", i, set.class_names[i]);
  }
  std::cout << "\n";
}

void list_sets(bool json) {
  nlohmann::json sets = nlohmann::json::array();
  for (const auto& known : {data::known_sets(), data::known_texts()}) {
    for (const data::KnownSet& set : known) {
      const auto place = data::locate(set);
      if (json) {
        sets.push_back(as_json(set, place));
      } else {
        print(set, place);
      }
    }
  }
  if (json) std::cout << sets.dump(2) << "\n";
}

/// Whether all files are as published; prints those that are not. Error: a file cannot be read.
bool check_set(const data::KnownSet& set, const std::optional<fs::path>& path) {
  const data::Splits splits = data::load(set, {}, path);
  const auto place = data::locate(set, path);  // there: it was loaded
  const auto differences = place ? data::differences(set, *place) : std::nullopt;
  const std::string_view verdict = !differences ? "readable; no digests of these files are published"
                                   : differences->empty() ? "complete, as published"
                                                          : "readable, but not as published";
  const auto shape = splits.train.images.sizes();
  std::cout << fmt::format("{}: {} training, {} validation and {} test images of {} x {}, {} classes: {}\n",
                           set.name, splits.train.size(), splits.validation.size(), splits.test.size(),
                           shape[2], shape[3], splits.train.classes(), verdict);
  if (!differences) return true;
  for (const std::string& difference : *differences) std::cout << "  " << difference << "\n";
  return differences->empty();
}

/// Of images or of texts. Error (usage): unknown; names the nearest known one.
const data::KnownSet& set_named(const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& known : {data::known_sets(), data::known_texts()}) {
    for (const data::KnownSet& set : known) {
      if (set.name == name) return set;
      names.push_back(set.name);
    }
  }
  fail_usage("there is no data set '{}'{}; known are {}", name, did_you_mean(name, names),
             fmt::join(names, ", "));
}

std::vector<const data::KnownSet*> sets_to_check(const DataArguments& arguments) {
  if (!arguments.name.empty()) return {&set_named(arguments.name)};
  if (!arguments.path.empty()) fail_usage("--path needs the name of the data set that lies there");
  std::vector<const data::KnownSet*> found;
  for (const data::KnownSet& set : data::known_sets()) {
    if (data::locate(set)) found.push_back(&set);
  }
  if (found.empty()) fail("no known data set was found; `whence data list` shows how to get one");
  return found;
}

void check(const DataArguments& arguments) {
  if (arguments.name == "sst" || arguments.name == "texts")
    return check_texts(arguments.name, arguments.path, arguments.vectors, arguments.json);
  std::optional<fs::path> path;
  if (!arguments.path.empty()) path = arguments.path;
  std::string wrong;
  for (const data::KnownSet* set : sets_to_check(arguments)) {
    if (!check_set(*set, path)) wrong += (wrong.empty() ? "" : ", ") + std::string(set->name);
  }
  std::cout.flush();
  if (!wrong.empty()) {
    fail("damaged or not the published version: {}; `whence data fetch` gets the published one", wrong);
  }
}

void fetch(const DataArguments& arguments) {
  const data::KnownSet& set = set_named(arguments.name);
  if (!arguments.from.empty() && arguments.from.find("://") == std::string::npos &&
      !fs::is_directory(arguments.from))
    fail("--from {}: there is no such folder; give a folder, or an address that begins with https://",
         arguments.from);
  const fs::path folder = data::fetch(
      set, {.to = arguments.to, .from = arguments.from, .patience = arguments.patience}, show_progress());
  std::cout << fmt::format("{}: {}\n", set.name, folder.string());
}

void add_fetch(CLI::App& command, Command& chosen, const std::shared_ptr<config::Values>& values) {
  using namespace config;
  using A = DataArguments;
  CLI::App* fetching = command.add_subcommand(
      "fetch",
      "Downloads a data set from its public home, checks and unpacks it; continues an interrupted download");
  auto& arguments = values->get<A>();
  fetching->add_option("name", arguments.name, "The data set")->type_name("SET")->required();
  add_flags(
      *fetching,
      {{"to", Text{at(&A::to)}, "DIR",
        "Where the set's folder goes (default: WHENCE_DATA if set, else ~/.local/share/whence)"},
       {"from", Text{at(&A::from)}, "URL|DIR", "A mirror's address, or a folder, that has the same files"},
       {"timeout", Number{at(&A::patience), 1, 3600}, "seconds",
        "Gives a connection up after so long without a byte"}},
      values);
  fetching->callback([&, values] { chosen = [values, &arguments] { fetch(arguments); }; });
}

}  // namespace

void add_data(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "data", "Lists, fetches and checks the known data sets",
      {"data list", "data fetch cifar10", "data fetch mnist --to /srv/data --from https://mirror.org/mnist",
       "data check fashion-mnist", "data check mnist --path ~/mnist", "data check texts --path reviews.csv"});
  command->require_subcommand(1);
  auto values = std::make_shared<config::Values>();
  const std::shared_ptr<DataArguments> arguments(values, &values->get<DataArguments>());
  CLI::App* list =
      command->add_subcommand("list", "The known data sets, their classes and where they were found");
  list->add_flag("--json", arguments->json, "Prints JSON");
  list->callback([&chosen, arguments] { chosen = [arguments] { list_sets(arguments->json); }; });
  CLI::App* checking =
      command->add_subcommand("check",
                              "Reads a data set, compares its digests with the published ones, and says "
                              "what is wrong with it");
  checking->add_option("name", arguments->name, "The data set (default: all that are found)")
      ->type_name("SET");
  checking->add_option("--path", arguments->path, "Its folder; of your own texts (SET texts) also a file")
      ->type_name("DIR");
  checking->add_option("--vectors", arguments->vectors, "Texts: files of word vectors whose coverage is told")
      ->type_name("FILE...");
  checking->add_flag("--json", arguments->json, "Texts: prints JSON");
  checking->callback([&chosen, arguments] { chosen = [arguments] { check(*arguments); }; });
  add_fetch(*command, chosen, values);
}

}  // namespace whence::cli
