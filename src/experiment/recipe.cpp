#include "experiment/recipe.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/names.h"
#include "whence/data/known.h"

namespace whence::experiment {
namespace {

void check_known(const std::string& set, const std::string& name) {
  std::vector<std::string_view> names = names_of(data::known_sets());
  if (std::ranges::find(names, set) != names.end()) return;
  const std::string sets = fmt::format("{}", fmt::join(names, ", "));
  names.insert(names.end(), {"sst", "idx", "pictures", "texts"});
  fail_usage("{}: data.set is '{}', but must be {}, sst or, for files of your own, idx, pictures or texts{}",
             name, set, sets, did_you_mean(set, names));
}

void check_data(const DataOptions& data, const std::string& name) {
  const auto require = [&](bool good, std::string_view sentence) {
    if (!good) fail_usage("{}: {}", name, sentence);
  };
  const bool idx = data.set == "idx", pictures = data.set == "pictures";
  require(!data.set.empty(),
          "data.set is missing; name a data set, such as set = \"fashion-mnist\" below [data]");
  require(!idx || !data.path.empty(), "data.set = \"idx\" needs data.path, the folder with the four files");
  require(!idx || data.class_names.size() > 1,
          "data.set = \"idx\" needs data.class_names, at least two, label 0 first");
  require(!pictures || !data.path.empty(),
          "data.set = \"pictures\" needs data.path, the folder with a folder for each class");
  require(data.set != "texts" || !data.path.empty(),
          "data.set = \"texts\" needs data.path, the file or folder with the texts");
  if (!idx && !pictures && !is_text(data)) check_known(data.set, name);
  require(idx || data.class_names.empty(),
          "data.class_names is only for data.set = \"idx\"; other sets have names of their own");
  require(data.form.size.empty() || data.form.size.size() == 2,
          "data.size must be two numbers, [height, width]");
  require(data.classes.size() != 1, "data.classes must name at least two classes");
  require(std::set(data.classes.begin(), data.classes.end()).size() == data.classes.size(),
          "data.classes lists a class twice");
}

template <class Architectures>
std::string architecture_table(std::string_view key, const Architectures& architectures) {
  std::string text = fmt::format("\n| `{}` | width | meaning |\n|---|---|---|\n", key);
  for (const auto& each : architectures)
    text += fmt::format("| `{}` | {} | {} |\n", each.name, each.width == 0 ? "" : std::to_string(each.width),
                        each.meaning);
  return text;
}

constexpr std::string_view kIntroduction =
    "# Recipes\n\n"
    "A recipe is a [TOML](https://toml.io) file that describes one experiment. `whence run RECIPE` carries "
    "it out; "
    "`--set section.key=value` changes a value for one run. `data.set` must be given, everything else has a "
    "default; "
    "a key that does not exist is an error. Relative paths are relative to the recipe's own folder. Most "
    "recipes set "
    "only data.set, data.classes, classifier.file, and of the explanation causal, noncausal, lambda, steps, "
    "batch, "
    "learning_rate and schedule.\n\n"
    "This page is printed by `whence recipe --reference` and checked against the program by its tests.\n";
constexpr std::string_view kArchitectures =
    "\n## Architectures\n\n"
    "Sources: [references.md](references.md). An architecture that does not fit the images is an error; it "
    "says which images fit.\n";

std::string sections_reference(const config::Schema& sections, const Kind* kind) {
  std::string text;
  for (const config::Section& section : sections) {
    const std::string owner = kind ? fmt::format(" of {}", kind->name) : "";
    text += section.name.empty() ? "\n## Top level\n\n" : fmt::format("\n## [{}]{}\n\n", section.name, owner);
    text += fmt::format("{}\n\n{}", section.doc, config::reference(section));
  }
  return text;
}

}  // namespace

bool is_text(const DataOptions& options) { return options.set == "sst" || options.set == "texts"; }

config::Schema schema_of(const Kinds& kinds) {
  config::Schema all = base_sections();
  for (const Kind& kind : kinds)
    for (const config::Section& section : kind.sections) {
      const auto known = std::ranges::find(all, section.name, &config::Section::name);
      if (known == all.end())
        all.push_back(section);
      else
        known->keys.insert(known->keys.end(), section.keys.begin(), section.keys.end());
    }
  all.push_back(expected_section(kinds));
  return all;
}

Recipe parse_recipe(const Kinds& kinds, std::string_view text, const std::filesystem::path& name,
                    const std::vector<std::string>& settings) {
  Recipe recipe{&kinds};
  recipe.get<About>().title = name.stem().string();
  config::parse_into(recipe.values, schema_of(kinds), text, name, settings);
  check_recipe(recipe, name.string());
  return recipe;
}

Recipe load_recipe(const Kinds& kinds, const std::filesystem::path& file,
                   const std::vector<std::string>& settings) {
  return parse_recipe(kinds, read_file(file), file, settings);
}

void check_recipe(const Recipe& recipe, const std::string& name) {
  check_data(recipe.get<DataOptions>(), name);
  for (const Kind& kind : *recipe.kinds)
    if (kind.check != nullptr) kind.check(recipe.values, name);
}

std::string to_toml(const Recipe& recipe) { return config::to_toml(schema_of(*recipe.kinds), recipe.values); }

nlohmann::json recipe_values(const Recipe& recipe, const std::vector<std::string_view>& keys) {
  return config::to_json(schema_of(*recipe.kinds), recipe.values, keys);
}

nlohmann::json without_paths(const Kinds& kinds, nlohmann::json values) {
  for (const config::Section& section : schema_of(kinds))
    for (const config::Key& key : section.keys)
      if (std::holds_alternative<config::Path>(key.type))
        values.erase(fmt::format("{}.{}", section.name, key.name));
  return values;
}

std::string recipe_reference(const Kinds& kinds) {
  std::string text(kIntroduction);
  text += sections_reference(base_sections(), nullptr);
  for (const Kind& kind : kinds) {
    text += fmt::format("\n# {}\n\n{}\n", kind.name, kind.meaning);
    text += sections_reference(kind.sections, &kind);
  }
  text += "\n# What is expected\n" + sections_reference({expected_section(kinds)}, nullptr);
  text += kArchitectures;
  return text + architecture_table("classifier.architecture", models::classifier_architectures()) +
         architecture_table("generator.architecture", models::autoencoder_architectures());
}

}  // namespace whence::experiment
