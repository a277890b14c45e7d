// What the runs of a page's experiments have measured, and which bars that reaches.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "whence/results/page.h"
#include "whence/run/metrics.h"

namespace whence::results {

/// A finished run (or selection) of an experiment, as far as a page may show it.
struct Run {
  std::string name;
  std::filesystem::path folder;           ///< empty: known from the page's record alone
  std::map<std::string, double> figures;  ///< by run::metric_names, in the units of metrics.json
  nlohmann::json facts;  ///< run.json: seed, machine, precision, version; "data" of metrics.json
  /// The values of its recipe that make runs comparable, by key; null without a recipe and for a selection.
  nlohmann::json recipe;

  bool recorded() const { return folder.empty(); }
};

/// What a page keeps of the runs that it shows, by their names: it can be made again where their folders are gone.
using Record = std::map<std::string, Run>;

/// The figure's values over the runs that have measured it, in the unit it is shown in.
struct MeasuredFigure {
  run::Spread spread;

  bool measured() const { return spread.count > 0; }
};

struct MeasuredExperiment {
  std::vector<Run> runs;                ///< finished ones, in the page's order
  std::vector<MeasuredFigure> figures;  ///< as the experiment's figures
  /// "explanation.steps is 4500, in the recipe 5500 (gce/mnist-38)": where the runs are not what the recipe says now;
  /// runs that differ in the same keys share an entry, its keys separated by "; ".
  std::vector<std::string> differences;
};

struct Measured {
  std::vector<MeasuredExperiment> experiments;  ///< as the page's
};

/// Verdicts over the medians.
struct Tally {
  int reached = 0, missed = 0, unmeasured = 0;

  int bars() const { return reached + missed + unmeasured; }
};
Tally tally(const Experiment& experiment, const MeasuredExperiment& measured);

/// The time that every recipe takes once, each by its first experiment, and that of all experiments: medians over the
/// runs, added up. Experiments that begin with the same run count once.
struct TotalTime {
  double hours = 0, hours_of_all = 0;
  int recipes = 0, measured = 0;
  int unmeasured = 0;  ///< experiments without a run
};
TotalTime total_time(const Page& page, const Measured& measured);

/// Reads the runs below `runs` that are finished; of those that are absent, begun or stopped, what `record` holds, and
/// where it holds nothing they are left out. A figure without a bar is of the runs that have measured it, where those that have
/// not are known from `record` alone. Errors, each with the page's file and line: a figure that another finished run, or none, has measured (names the nearest that it has), two
/// runs of an experiment with the same seed, a recipe that is not there. Errors: those of read_json and load_recipe.
Measured measure(const Page& page, const std::filesystem::path& runs, const Record& record = {});

}  // namespace whence::results
