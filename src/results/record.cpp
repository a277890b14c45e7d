#include "record.h"

#include <sstream>

#include "facts.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::results {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTimes[] = {"classifier_seconds", "training_seconds", "total_seconds", "seconds"};

nlohmann::json facts_of(const Run& run) {
  nlohmann::json facts = nlohmann::json::object();
  const auto keep = [&](const char* pointer) {
    const nlohmann::json::json_pointer at(pointer);
    if (run.facts.contains(at)) facts[at] = run.facts.at(at);
  };
  keep("/seed");
  for (const Fact& fact : kFacts) keep(fact.pointer);
  return facts;
}

/// The run's entries of figures, which more of them may join.
void add_figures(const Run& run, const Experiment& experiment, nlohmann::json& figures) {
  const auto add = [&](const std::string& metric) {
    if (const auto found = run.figures.find(metric); found != run.figures.end())
      figures[metric] = found->second;
  };
  for (const Figure& figure : experiment.figures) add(figure.metric);
  for (const char* time : kTimes) add(time);
}

Run run_of_line(const nlohmann::json& line) {
  Run run;
  run.name = line.at("run").get<std::string>();
  run.figures = line.at("figures").get<std::map<std::string, double>>();
  run.facts = line.at("facts");
  run.recipe = line.at("recipe");
  return run;
}

}  // namespace

Record read_record(const fs::path& file) {
  Record record;
  if (!fs::exists(file)) return record;
  std::istringstream lines(read_file(file));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    try {
      Run run = run_of_line(nlohmann::json::parse(line));
      record[run.name] = run;
    } catch (const nlohmann::json::exception& error) {
      fail(
          "{}:{}: not a line of a page's record of runs ({}); restore the file, or remove it to show only "
          "runs whose folders are there",
          file.string(), number, error.what());
    }
  }
  return record;
}

std::string record_of(const Page& page, const Measured& measured) {
  std::vector<std::string> order;
  std::map<std::string, nlohmann::json> lines;
  for (std::size_t i = 0; i < page.experiments.size(); ++i) {
    for (const Run& run : measured.experiments[i].runs) {
      const auto [line, fresh] = lines.try_emplace(run.name);
      if (fresh) {
        order.push_back(run.name);
        line->second = {{"run", run.name},
                        {"figures", nlohmann::json::object()},
                        {"facts", facts_of(run)},
                        {"recipe", run.recipe}};
      }
      add_figures(run, page.experiments[i], line->second["figures"]);
    }
  }
  std::string text;
  for (const std::string& name : order) text += lines[name].dump() + "\n";
  return text;
}

}  // namespace whence::results
