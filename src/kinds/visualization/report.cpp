// The gallery's figures and its section of the report.
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "kinds/visualization/gallery.h"

namespace whence::kinds {
namespace {

std::string title_of(const GalleryPage& page) {
  return page.about_classes()
             ? fmt::format("What the classes respond to most ({})", visualization::name_of(page.goal))
             : fmt::format("What layer {} responds to most ({})", page.layer,
                           visualization::name_of(page.goal));
}

std::string share(const nlohmann::json& column, const char* name) {
  return column.contains(name) ? fmt::format("{:.0f} %", 100 * column.at(name).get<double>()) : "";
}
std::string number(const nlohmann::json& column, const char* name, const char* format_of_it) {
  return column.contains(name) && !column.at(name).is_null()
             ? fmt::format(fmt::runtime(format_of_it), column.at(name).get<double>())
             : "";
}

report::Table page_table(const nlohmann::json& page, bool judged) {
  const std::string layer = page.at("layer").get<std::string>();
  report::Table table;
  table.header = {layer.empty() ? page.at("goal").get<std::string>()
                                : fmt::format("{}, {}", layer, page.at("goal").get<std::string>()),
                  "above the data's 99th percentile"};
  if (layer.empty()) table.header.emplace_back(judged ? "the other network agrees" : "the classifier agrees");
  table.header.emplace_back("distance to the data");
  table.header.emplace_back("seconds a picture");
  for (const nlohmann::json& name : page.at("order")) {
    const nlohmann::json& column = page.at("columns").at(name.get<std::string>());
    std::vector<std::string> cells = {column.at("title").get<std::string>(), share(column, "beyond")};
    if (layer.empty()) cells.push_back(share(column, "transfer"));
    cells.push_back(number(column, "distance", "{:.2f}"));
    cells.push_back(number(column, "seconds_per_picture", "{:.2g}"));
    table.rows.push_back(std::move(cells));
  }
  table.caption =
      "Shares of pictures. The distance is the median one to the nearest image of the data, in units of the "
      "median distance "
      "between neighbouring images of the data.";
  return table;
}

}  // namespace

report::ImageGrid gallery_figure(const GalleryPage& page, const std::vector<std::string>& class_names,
                                 bool judged) {
  report::ImageGrid grid;
  grid.title = title_of(page);
  std::vector<at::Tensor> columns;
  for (const GalleryColumn& column : page.columns) {
    columns.push_back(column.images);
    for (std::int64_t i = 0; i < column.images.size(1); ++i)
      grid.column_labels.push_back(i == 0 ? column.title : "");
  }
  columns.push_back(page.real);
  for (std::int64_t i = 0; i < page.real.size(1); ++i)
    grid.column_labels.push_back(i == 0 ? "real images" : "");
  grid.images = at::cat(columns, 1).to(at::kCPU);
  grid.row_labels = page.unit_names;
  grid.row_axis = page.about_classes() ? "class" : "unit";
  grid.column_axis = "made from";
  if (!page.about_classes()) return grid;
  std::vector<at::Tensor> seen;
  for (const GalleryColumn& column : page.columns) seen.push_back(column.seen.to(at::kCPU));
  // Real images: which class responds most to them is not the question; their row's own border stays.
  const at::Tensor rows = at::arange(std::ssize(page.unit_names), at::kLong).unsqueeze(1);
  const at::Tensor own = page.units.empty() ? rows : at::tensor(page.units, at::kLong).unsqueeze(1);
  seen.push_back(own.expand({own.size(0), page.real.size(1)}));
  grid.classes = at::cat(seen, 1);
  grid.class_names = class_names;
  grid.legend_name = judged ? "the other network says:" : "the classifier says:";
  return grid;
}

report::Section visualization_section_of(const nlohmann::json& metrics) {
  report::Section section{"visualization", "What classes and units respond to most", {}, {}, {}};
  section.paragraphs.push_back(fmt::format(
      "Each picture was changed until the unit of its row responded most. **The control has no "
      "regularizer**: it shows how a network is fooled, "
      "not what it looks for (adversarial input). A picture means something where {} and the real images "
      "that respond most look alike. "
      "Pictures are compared with {} test images.",
      metrics.contains("judge") ? "it, the answer of a second network that was trained on its own," : "it",
      metrics.at("references").get<std::int64_t>()));
  if (metrics.contains("judge"))
    section.paragraphs.push_back(fmt::format("The second network is right on {:.1f} % of the test images.",
                                             100 * metrics.at("judge").get<double>()));
  for (const auto& [id, page] : metrics.at("pages").items())
    section.tables.push_back(page_table(page, metrics.contains("judge")));
  return section;
}

std::string visualization_answer(const nlohmann::json& metrics) {
  if (!metrics.contains("judge")) return "";
  for (const auto& [id, page] : metrics.at("pages").items()) {
    if (!page.at("layer").get<std::string>().empty()) continue;
    std::string shares;
    for (const nlohmann::json& name : page.at("order")) {
      const nlohmann::json& column = page.at("columns").at(name.get<std::string>());
      shares += fmt::format("{}{} {}", shares.empty() ? "" : ", ", column.at("title").get<std::string>(),
                            share(column, "transfer"));
    }
    return fmt::format(
        "**How many pictures of a class a second network takes for this class**, by what they are made from: "
        "{}.",
        shares);
  }
  return "";
}

}  // namespace whence::kinds
