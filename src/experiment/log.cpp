#include "experiment/log.h"

#include <fstream>
#include <limits>
#include <sstream>

#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::experiment {
namespace {

constexpr std::int64_t kMostStepsBetween = 50;
constexpr std::int64_t kLeastLines = 200;

/// Calls `body` with every line that is an object with a stage.
void for_lines(const std::filesystem::path& file,
               const std::function<void(const std::string& text, const nlohmann::json& line)>& body) {
  if (!std::filesystem::exists(file)) return;
  std::istringstream lines(read_file(file));
  for (std::string text; std::getline(lines, text);) {
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (line.is_object() && line.contains("stage") && line.contains("step") && line.contains("values")) {
      body(text, line);
    }
  }
}

}  // namespace

ProgressLog::ProgressLog(std::filesystem::path file) : file_(std::move(file)) {
  if (!std::filesystem::is_regular_file(file_)) return;
  const std::string text = read_file(file_);
  torn_ = !text.empty() && text.back() != '\n';
}

void ProgressLog::append(const Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (progress.stage != stage_) {
    stage_ = progress.stage;
    started_ = now;
  }
  if (progress.values.empty()) return;
  const std::int64_t interval = std::clamp<std::int64_t>(progress.total / kLeastLines, 1, kMostStepsBetween);
  if (progress.step % interval != 0 && progress.step != progress.total) return;
  nlohmann::json values;
  for (const auto& [name, value] : progress.values) values[name] = value;
  const nlohmann::json line = {{"stage", progress.stage},
                               {"step", progress.step},
                               {"total", progress.total},
                               {"seconds", std::chrono::duration<double>(now - started_).count()},
                               {"values", values}};
  std::ofstream stream(file_, std::ios::app);
  if (torn_) stream << '\n';
  stream << line.dump() + "\n" << std::flush;
  torn_ = false;
  if (!stream) fail("{} cannot be written to; is the disk full?", file_.string());
}

void ProgressLog::drop(std::string_view stage) {
  if (!std::filesystem::exists(file_)) return;
  std::string kept;
  for_lines(file_, [&](const std::string& text, const nlohmann::json& line) {
    const auto of = line["stage"].get<std::string>();
    if (of != stage && !of.starts_with(fmt::format("{}/", stage))) kept.append(text).append("\n");
  });
  write_file(file_, kept);
}

Curve read_curve(const std::filesystem::path& log, std::string_view stage) {
  std::map<double, nlohmann::json> by_step;
  for_lines(log, [&](const std::string&, const nlohmann::json& line) {
    if (line["stage"] == stage) by_step[line["step"].get<double>()] = line["values"];
  });
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  Curve curve;
  for (const auto& [step, values] : by_step) {
    for (const auto& [name, value] : values.items()) {
      std::vector<double>& readings = curve.values[name];
      readings.resize(curve.steps.size(), none);
      readings.push_back(value.get<double>());
    }
    curve.steps.push_back(step);
  }
  for (auto& [name, readings] : curve.values) readings.resize(curve.steps.size(), none);
  return curve;
}

}  // namespace whence::experiment
