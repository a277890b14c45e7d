// log.jsonl: the readings of trainings over their steps, one JSON object a line.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "whence/core/progress.h"

namespace whence::experiment {

/// Appends {"stage", "step", "total", "seconds", "values": {name: value}} about every 50 steps (at least 200
/// times a training, where it has as many steps). A line that a kill has torn is skipped by readers.
class ProgressLog {
 public:
  explicit ProgressLog(std::filesystem::path file);

  void append(const Progress& progress);
  /// Forgets what a stage and its parts ("stage/part") logged before it starts over.
  void drop(std::string_view stage);

 private:
  std::filesystem::path file_;
  bool torn_ = false;  // the last line has no end: its writer was killed
  std::string stage_;
  std::chrono::steady_clock::time_point started_;
};

struct Curve {
  std::vector<double> steps;
  /// By name of the reading, one for each step; NaN where the log has none.
  std::map<std::string, std::vector<double>> values;
};

/// The logged readings of a stage, in the order of steps; where a step was repeated after a kill, the last
/// one.
Curve read_curve(const std::filesystem::path& log, std::string_view stage);

}  // namespace whence::experiment
