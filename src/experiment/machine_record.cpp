#include "experiment/machine_record.h"

#include <chrono>
#include <ctime>

#include "experiment/version.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/platform/machine.h"

namespace whence::experiment {
namespace {

std::string now() {
  const std::time_t time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

nlohmann::json read_record(const RunFolder& folder) {
  const auto path = folder / "run.json";
  return std::filesystem::exists(path) ? read_json(path) : nlohmann::json::object();
}

/// Of run folders: raised where one that an earlier whence wrote would be misread.
constexpr int kFormat = 2;

std::optional<Precision> precision_named(const std::string& name) {
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    if (name == name_of(precision)) return precision;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Precision> recorded_precision(const RunFolder& folder) {
  return precision_named(read_record(folder).value("/precision/chosen"_json_pointer, std::string()));
}

bool is_readable(const RunFolder& folder) {
  return !std::filesystem::exists(folder / "run.json") || read_record(folder).value("format", 1) == kFormat;
}

void check_format(const RunFolder& folder) {
  if (!is_readable(folder))
    fail(
        "{} was made by an earlier whence, whose run folders this one cannot read; run its recipe again with "
        "--out, or "
        "with --force to replace it",
        folder.path().string());
}

Precision record_machine(const RunFolder& folder, const Recipe& recipe, bool force) {
  const Machine machine = describe_machine();
  nlohmann::json record = read_record(folder);
  const nlohmann::json requested = recipe_values(recipe, {"run.precision"})["run.precision"];
  const auto recorded = recorded_precision(folder);
  const bool here = recorded == Precision::float32 || machine.bfloat16;
  const bool same_request = recorded && record["precision"].value("requested", nlohmann::json()) == requested;
  if (same_request && !here && !force) {
    fail(
        "{} was started in bfloat16, which this processor lacks; start again with --force, or in another "
        "folder with --out",
        folder.path().string());
  }
  if (!same_request || !here) {
    const PrecisionChoice choice = choose_precision(recipe.get<RunOptions>().precision);
    record["precision"] = {
        {"requested", requested}, {"chosen", name_of(choice.precision)}, {"reason", choice.reason}};
  }
  record["format"] = kFormat;
  record["whence"] = version();
  record["seed"] = recipe.seed();
  record["machine"] = to_json(machine);
  if (!record.contains("begun")) record["begun"] = now();
  record["updated"] = now();
  write_json(folder / "run.json", record);
  return *recorded_precision(folder);
}

}  // namespace whence::experiment
