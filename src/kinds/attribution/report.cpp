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
  for (const auto& [key, title] :
       {std::pair{"random_order", "random order"}, std::pair{"edge_filter", "edge filter"}})
    if (metrics.contains(key))
      rows.push_back({title, &metrics.at(key), mean_of(metrics.at(key), first.name)});
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
  table.is_answer = true;
  table.header = {"method"};
  for (const Measure& measure : attribution::measures())
    table.header.push_back(fmt::format("{} {}", measure.title, measure.larger_is_better ? "↑" : "↓"));
  for (const char* title : {"largest incompleteness", "seconds an image"}) table.header.emplace_back(title);
  for (const MapRow& row : rows) {
    std::vector<std::string> cells = {row.title};
    for (const Measure& measure : attribution::measures()) {
      const auto own = row.metrics->find(std::string(measure.name));
      cells.push_back(own == row.metrics->end() ? "" : mean_with_interval(*own));
    }
    cells.push_back(number_or_nothing(*row.metrics, "completeness_error"));
    cells.push_back(number_or_nothing(*row.metrics, "seconds_per_image"));
    table.rows.push_back(std::move(cells));
  }
  table.caption =
      "Means over the images with 95 % intervals; the best by the first measure comes first. ↑: more is "
      "better; ↓: less is better.";
  return table;
}

}  // namespace

report::Section attribution_section_of(const nlohmann::json& metrics) {
  report::Section section{"attribution", "Which pixels speak for the answer", {}, {}, {}};
  section.paragraphs.push_back(fmt::format(
      "Each method explains the {} of the classifier's answer for {} test images. A measure means something "
      "beside a random order and an "
      "edge filter: images with holes are not images of the data, and any order lowers the score.",
      metrics.at("score").get<std::string>(), metrics.at("images").get<std::int64_t>()));
  if (metrics.value("path_baseline", "") == "translation")
    section.paragraphs.emplace_back(
        "The path methods follow translations: from the image translated to another class, by the run's "
        "translator, to the image itself.");
  section.tables.push_back(table_of(ordered_rows(metrics)));
  for (const auto& [name, own] : metrics.at("methods").items())
    if (own.contains("empty")) section.paragraphs.push_back(empty_sentence(attribution::method(name).title));
  section.paragraphs.push_back(verdict_of(metrics).text);
  return section;
}

report::Section measures_section() {
  report::Section section{"measures", "What the measures of maps mean", {}, {}, {}, /*folded=*/true};
  for (const Measure& measure : attribution::measures())
    section.paragraphs.push_back(
        fmt::format("**{}** ({}). {}", measure.title, measure.source, measure.meaning));
  return section;
}

report::Page attribution_page(const nlohmann::json& metrics, const std::filesystem::path& stem,
                              std::string layer) {
  report::Page page;
  page.title = "Which map to believe";
  page.subtitle = fmt::format("{} methods of attribution on {} images", metrics.at("methods").size(),
                              metrics.at("images").get<std::int64_t>());
  page.answer = verdict_of(metrics).text;
  page.sections.push_back(attribution_section_of(metrics));
  page.sections.back().paragraphs.pop_back();  // the answer says it
  page.sections.back().figures.push_back({stem,
                                          "Images and a row of maps for each method. The maps of a row share "
                                          "one colour scale, whose deepest colour the label states."});
  page.sections.back().live = std::move(layer);
  page.sections.push_back(measures_section());
  return page;
}

}  // namespace whence::kinds
