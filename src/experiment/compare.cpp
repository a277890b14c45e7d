#include "experiment/compare.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "experiment/folder.h"
#include "experiment/metrics.h"
#include "experiment/recipe.h"
#include "experiment/session.h"
#include "report/page.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::experiment {
namespace {

namespace fs = std::filesystem;

std::string own_name(const std::string& key) { return key.substr(key.find('.') + 1); }

std::string value_text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Runs whose recipes differ only in their seed.
// NOLINTNEXTLINE(bugprone-exception-escape): as StageResult
struct Group {
  nlohmann::json recipe;  ///< values by key, without the seed
  std::vector<fs::path> folders = {};
  std::vector<nlohmann::json> metrics = {};
};

nlohmann::json values_of(const Kinds& kinds, const fs::path& folder) {
  const Session session = open_session(kinds, folder);
  const config::Schema schema = schema_of(kinds);
  std::vector<std::string_view> sections = names_of(schema);
  std::erase_if(sections, [](std::string_view name) { return name.empty() || name == "expected"; });
  nlohmann::json values = without_paths(kinds, recipe_values(session.recipe(), sections));
  // Other files there are other images and models; a kind's paths name runs to compare with.
  values.update(recipe_values(session.recipe(), {"data", "classifier", "generator"}));
  values.erase("run.seed");
  return values;
}

std::vector<Group> groups_of(const Kinds& kinds, const std::vector<fs::path>& folders) {
  std::vector<Group> groups;
  for (const fs::path& folder : folders) {
    const nlohmann::json values = values_of(kinds, folder);
    if (!fs::exists(folder / "metrics.json"))
      fail("{} has measured nothing yet; `whence run {}` continues it", folder.string(), folder.string());
    auto group = std::ranges::find(groups, values, &Group::recipe);
    if (group == groups.end()) group = groups.insert(groups.end(), {values});
    group->folders.push_back(folder);
    group->metrics.push_back(read_json(folder / "metrics.json"));
  }
  return groups;
}

/// "97.30", "97.30 (97.12 to 97.41)"; "" where a run has not measured it.
std::string cell(const Metric& metric, const Group& group) {
  std::vector<double> values;
  for (const nlohmann::json& metrics : group.metrics)
    if (const auto value = value_of(metric, metrics)) values.push_back(*value);
  if (values.empty() || values.size() < group.metrics.size()) return "";
  const Spread spread = spread_of(values);
  if (spread.count == 1) return shown(metric, spread.median);
  return fmt::format("{} ({} to {})", shown(metric, spread.median), shown(metric, spread.least),
                     shown(metric, spread.most));
}

report::Table table_of(const Kinds& kinds, const std::vector<Group>& groups,
                       const std::vector<std::string>& names) {
  report::Table table{{""}, {}, "Of several runs: the median (least to most)."};
  table.header.insert(table.header.end(), names.begin(), names.end());
  for (const Metric& metric : all_metrics(kinds)) {
    std::vector<std::string> row = {title_of(metric)};
    for (const Group& group : groups) row.push_back(cell(metric, group));
    const bool measured =
        std::any_of(row.begin() + 1, row.end(), [](const auto& text) { return !text.empty(); });
    if (measured) table.rows.push_back(std::move(row));
  }
  return table;
}

report::Section runs_section(const std::vector<Group>& groups, const std::vector<std::string>& names) {
  report::Table table{{"run", "folder"}, {}, ""};
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const fs::path& folder : groups[i].folders) table.rows.push_back({names[i], folder.string()});
  return {"runs", "The runs", {"Each folder has a report of its own."}, {table}, {}};
}

}  // namespace

std::vector<std::string> names_apart(const std::vector<nlohmann::json>& recipes,
                                     const std::vector<std::string>& otherwise) {
  std::vector<std::vector<std::string>> differences(recipes.size());
  for (const auto& [key, first] : recipes.front().items()) {
    const bool differs = std::any_of(recipes.begin(), recipes.end(), [&](const nlohmann::json& recipe) {
      return recipe.value(key, nlohmann::json()) != first;
    });
    if (!differs) continue;
    for (std::size_t i = 0; i < recipes.size(); ++i)
      differences[i].push_back(
          fmt::format("{} = {}", own_name(key), value_text(recipes[i].value(key, nlohmann::json()))));
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < recipes.size(); ++i)
    names.push_back(differences[i].empty() ? otherwise[i]
                                           : fmt::format("{}", fmt::join(differences[i], ", ")));
  return names;
}

void compare_runs(const Kinds& kinds, const std::vector<fs::path>& folders, const fs::path& page) {
  if (folders.size() < 2) fail_usage("a comparison needs at least two run folders");
  const std::vector<Group> groups = groups_of(kinds, folders);
  std::vector<nlohmann::json> recipes;
  std::vector<std::string> otherwise;
  for (const Group& group : groups) {
    recipes.push_back(group.recipe);
    otherwise.push_back(group.folders.front().lexically_normal().filename().string());
  }
  std::vector<std::string> names = names_apart(recipes, otherwise);
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (groups[i].folders.size() > 1) names[i] += fmt::format(" ({} runs)", groups[i].folders.size());
  report::Page result;
  result.title = fmt::format("{} runs compared", folders.size());
  result.answer = groups.size() == 1 ? "These runs have the same settings, apart from their seeds."
                                     : fmt::format("The runs have {} settings. They differ in: {}.",
                                                   groups.size(), fmt::join(names, "; "));
  result.sections = {{"metrics", "Metrics", {}, {table_of(kinds, groups, names)}, {}},
                     runs_section(groups, names)};
  report::write_page(result, page);
}

}  // namespace whence::experiment
