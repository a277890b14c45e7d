// The page of one run: what the kinds say, then what every run has.
#include "experiment/metrics.h"
#include "experiment/pipeline.h"
#include "experiment/stages.h"
#include "whence/core/files.h"

namespace whence::experiment {
namespace {

using report::Section;
using report::Table;

/// Where no kind explains the classifier; and first of all, where it only guesses.
void present_classifier(const Run& run, report::Page& page) {
  if (!run.metrics.contains("classifier")) return;
  const nlohmann::json& classifier = run.metrics.at("classifier");
  const double accuracy = classifier.at("test_accuracy").get<double>();
  const std::string share = fmt::format("{:.1f} %", 100 * accuracy);
  if (page.answer.empty())
    page.answer = fmt::format("**The classifier is right on {} of the test images.**", share);
  if (classifier.contains("guessing"))
    page.answer = classifier.at("guessing").get<std::string>() + " " + page.answer;
  if (page.headlines.empty()) page.headlines = {{share, "accuracy of the classifier", "on test images"}};
}

/// No rows where the recipe expects nothing that was measured.
Table against_expected(const Run& run) {
  const Expected& expected = run.session.get<Expected>();
  Table table{{"", "expected", "this run"}, {}, expected.source};
  for (const Metric& metric : all_metrics(*run.session.recipe().kinds)) {
    const auto stated = expected.values.find(metric.name);
    const auto measured = value_of(metric, run.metrics);
    if (stated != expected.values.end() && stated->second && measured)
      table.rows.push_back({title_of(metric), shown(metric, *stated->second), shown(metric, *measured)});
  }
  return table;
}

std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Section machine_section(const Run& run) {
  const nlohmann::json record = read_json(run.session.folder() / "run.json");
  Table facts{{"", ""}, {}, ""}, seconds{{"stage", "seconds"}, {}, ""};
  for (const char* key : {"whence", "seed", "begun"}) facts.rows.push_back({key, text_of(record.at(key))});
  if (const auto& data = run.metrics.at("data"); data.contains("files"))
    facts.rows.push_back({"files of the data set", text_of(data.at("files"))});
  for (const auto& [name, value] : record.at("machine").items()) facts.rows.push_back({name, text_of(value)});
  facts.rows.push_back(
      {"peak memory",
       fmt::format("{:.0f} MiB", run.metrics.at("peak_memory_bytes").get<double>() / (1 << 20))});
  for (const auto& [name, stage] : run.metrics.at("stages").items())
    seconds.rows.push_back({name, fmt::format("{:.1f}", stage.at("seconds").get<double>())});
  return {"machine", "The run", {text_of(record.at("precision").at("reason"))}, {facts, seconds}, {}, true};
}

Section recipe_section(const Recipe& recipe) {
  Table table{{"key", "value"}, {}, ""};
  const nlohmann::json values = recipe_values(recipe, names_of(schema_of(*recipe.kinds)));
  for (const auto& [key, value] : values.items())
    if (!value.is_null()) table.rows.push_back({key, value.dump()});
  return {"recipe", "Recipe", {"Every value, including defaults."}, {table}, {}, true};
}

}  // namespace

StageResult report_stage(Session& session) {
  const Recipe& recipe = session.recipe();
  const Run run{session, collect_metrics(*recipe.kinds, session.folder())};
  report::Page page;
  page.title = recipe.get<About>().title;
  page.subtitle = recipe.get<About>().source;
  for (const Kind& kind : *recipe.kinds)
    if (kind.report != nullptr && kind.asked(recipe.values)) kind.report(run, page);
  present_classifier(run, page);
  if (const Table expected = against_expected(run); !expected.rows.empty())
    page.sections.push_back({"expected", "Compared with the expected metrics", {}, {expected}, {}});
  page.sections.push_back(machine_section(run));
  page.sections.push_back(recipe_section(recipe));
  const std::filesystem::path file = session.folder() / "report.html";
  report::write_page(page, file);
  return {{}, {"report.html"}, file.string()};
}

}  // namespace whence::experiment
