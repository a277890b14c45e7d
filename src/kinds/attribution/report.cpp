#include <nlohmann/json.hpp>

#include "experiment/metrics.h"
#include "kinds/attribution/comparison.h"

namespace whence::kinds {
namespace {

using attribution::Measure;

struct MapRow {
  std::string title;
  const nlohmann::json* metrics;
  double order;  ///< by the first measure
};

double mean_of(const nlohmann::json& metrics, std::string_view measure) {
  return metrics.at(std::string(measure)).at("mean").get<double>();
}

std::string mean_with_interval(const nlohmann::json& spread) {
  const double mean = spread.at("mean").get<double>();
  if (!spread.contains("se")) return fmt::format("{:.3f}", mean);
  return fmt::format("{:.3f} ± {:.3f}", mean, experiment::kInterval * spread.at("se").get<double>());
}

std::vector<MapRow> ordered_rows(const nlohmann::json& metrics) {
  const Measure& first = attribution::measures().front();
  std::vector<MapRow> rows;
  for (const auto& [name, own] : metrics.at("methods").items())
    rows.push_back({std::string(attribution::method(name).title), &own, mean_of(own, first.name)});
  rows.push_back(
      {"random order", &metrics.at("random_order"), mean_of(metrics.at("random_order"), first.name)});
  std::stable_sort(rows.begin(), rows.end(), [&](const MapRow& a, const MapRow& b) {
    return first.larger_is_better ? a.order > b.order : a.order < b.order;
  });
  return rows;
}

std::string number_or_nothing(const nlohmann::json& metrics, const char* name, const char* unit = "") {
  return metrics.contains(name) ? fmt::format("{:.2g}{}", metrics.at(name).get<double>(), unit) : "";
}

report::Table table_of(const std::vector<MapRow>& rows) {
  report::Table table;
  table.header = {"method"};
  for (const Measure& measure : attribution::measures()) table.header.emplace_back(measure.title);
  for (const char* title : {"largest incompleteness", "seconds an image"}) table.header.emplace_back(title);
  for (const MapRow& row : rows) {
    std::vector<std::string> cells = {row.title};
    for (const Measure& measure : attribution::measures())
      cells.push_back(mean_with_interval(row.metrics->at(std::string(measure.name))));
    cells.push_back(number_or_nothing(*row.metrics, "completeness_error"));
    cells.push_back(number_or_nothing(*row.metrics, "seconds_per_image"));
    table.rows.push_back(std::move(cells));
  }
  table.caption = "Means over the images with 95 % intervals; the best by the first measure comes first.";
  return table;
}

/// Methods whose 95 % interval by the first measure does not lie beyond a random order's.
std::string not_better_than_random(const nlohmann::json& metrics) {
  const Measure& first = attribution::measures().front();
  const nlohmann::json& random = metrics.at("random_order").at(std::string(first.name));
  std::string names;
  for (const auto& [name, own] : metrics.at("methods").items()) {
    const nlohmann::json& spread = own.at(std::string(first.name));
    const double gain = (first.larger_is_better ? 1 : -1) *
                        (spread.at("mean").get<double>() - random.at("mean").get<double>());
    const double error = std::hypot(spread.value("se", 0.0), random.value("se", 0.0));
    if (gain <= experiment::kInterval * error)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", attribution::method(name).title);
  }
  return names;
}

}  // namespace

report::Section attribution_section_of(const nlohmann::json& metrics) {
  report::Section section{"attribution", "Which pixels speak for the answer", {}, {}, {}};
  std::string measures;
  for (const Measure& measure : attribution::measures())
    measures += fmt::format("**{}**: {} ", measure.title, measure.meaning);
  section.paragraphs.push_back(fmt::format(
      "Each method explains the {} of the classifier's answer for {} test images. {}A measure means "
      "something beside a random order: images with holes are not images of the data, and any order "
      "lowers the score.",
      metrics.at("score").get<std::string>(), metrics.at("images").get<std::int64_t>(), measures));
  section.tables.push_back(table_of(ordered_rows(metrics)));
  if (const std::string names = not_better_than_random(metrics); !names.empty())
    section.paragraphs.push_back(
        fmt::format("**Not better than a random order here: {}.** Do not trust these maps.", names));
  for (const auto& [name, own] : metrics.at("methods").items())
    if (own.contains("empty")) section.paragraphs.push_back(empty_sentence(attribution::method(name).title));
  return section;
}

}  // namespace whence::kinds
