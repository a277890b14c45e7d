// A kind of explanation: everything that it adds to recipes, runs and reports is one value of this type, a row of kinds/kinds.cpp.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "report/page.h"

namespace whence::experiment {

class Session;
class Figures;
class SeedSpread;
struct Kind;
using Kinds = std::vector<Kind>;

enum class Better { neither, higher, lower };

/// A number of a run with a name of its own: an entry of metrics.json, or computed from several.
struct Metric {
  std::string_view name, title;  ///< for files, for people
  std::string_view
      unit;    ///< that it is shown in; shares as "%" or "points", seconds as "min", bytes as "MiB"
  int digits;  ///< after the point, in that unit
  Better better;
  std::string_view doc;   ///< one sentence
  std::string_view path;  ///< "gce.test.sse"; "": `of` computes it
  /// Nothing, or an exception of nlohmann::json, where the run has not measured it.
  std::optional<double> (*of)(const nlohmann::json& metrics) = nullptr;
};

// NOLINTNEXTLINE(bugprone-exception-escape): json moves do not throw, but clang-tidy cannot see it
struct StageResult {
  nlohmann::json metrics;             ///< its part of the kind's object in metrics.json
  std::vector<std::string> products;  ///< files that it made, relative to the folder
  std::string summary;                ///< for the display
  double trained_seconds =
      0;  ///< of a training, with what was done before a kill that left no time to note it
};

struct Stage {
  std::string_view name;
  std::vector<std::string_view> keys;   ///< of the recipe (or whole sections), that its result depends on
  std::vector<std::string_view> after;  ///< stages that its result depends on
  StageResult (*work)(Session&);
  nlohmann::json (*content)(Session&) = nullptr;  ///< what else it depends on
  bool expensive = false;             ///< other recipe values are an error, not a reason to do it again
  bool on_demand = false;             ///< done only where it is the last one asked for
  void (*ready)(Session&) = nullptr;  ///< errors of what it would miss, before anything is done
  bool (*asked)(const config::Values&) = nullptr;  ///< whether these values ask for it; none: its kind's
  const Kind* kind = nullptr;                      ///< filled in; none: experiment's own
};

/// What figures and reports are made from.
// NOLINTNEXTLINE(bugprone-exception-escape): as StageResult
struct Run {
  Session& session;
  nlohmann::json metrics;  ///< metrics.json

  report::FigureRef figure(const std::string& name, const std::string& caption) const;
};

struct Kind {
  std::string_view name;     ///< of its object in metrics.json: "gce"
  std::string_view meaning;  ///< one sentence
  /// Its part of a recipe. Keys of a section that stands elsewhere, too ("figures"), are added to it.
  std::vector<config::Section> sections;
  /// Whether these values ask for it.
  bool (*asked)(const config::Values&);
  /// Errors (usage): values that contradict each other; `file` is the recipe's name.
  void (*check)(const config::Values&, const std::string& file) = nullptr;
  std::vector<Stage> stages = {};  ///< in the order of execution
  std::vector<Metric> metrics = {};
  /// Draws into the run's folder.
  void (*figures)(Run&, Figures&) = nullptr;
  /// Adds its sections; the first kind that was asked for also writes the answer, the headlines and the lead.
  void (*report)(const Run&, report::Page&) = nullptr;
  /// How many latents the generator has that it needs; 0: none.
  std::int64_t (*latents)(const config::Values&) = nullptr;
  /// Asks for a comparison with another run, the next seed's. Error (usage): the recipe names one itself.
  void (*compare)(config::Values&, const std::filesystem::path& other_run) = nullptr;
  /// As `report`, over the runs of all seeds.
  void (*report_seeds)(const SeedSpread&, report::Page&) = nullptr;
};

}  // namespace whence::experiment
