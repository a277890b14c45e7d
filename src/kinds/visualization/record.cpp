// A page of the gallery in metrics.json and in a file of tensors.
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "kinds/visualization/gallery.h"
#include "whence/core/error.h"
#include "whence/explain/visualization/measures.h"

namespace whence::kinds {
namespace {

bool is_negative(const std::string& column) { return column.ends_with("-negative"); }

std::vector<double> numbers(const at::Tensor& values) {
  const at::Tensor exact = values.to(at::kDouble).to(at::kCPU).contiguous();
  std::vector<double> result;
  for (std::int64_t i = 0; i < exact.numel(); ++i) result.push_back(exact.view({-1})[i].item<double>());
  return result;
}

nlohmann::json column_json(const GalleryColumn& column, const GalleryPage& page) {
  const auto pictures = static_cast<double>(column.responses.numel());
  nlohmann::json result = {
      {"title", column.title},
      {"seconds_per_picture", column.seconds / pictures},
      {"distance", page.typical_distance > 0
                       ? nlohmann::json(column.nearest.median().item<double>() / page.typical_distance)
                       : nlohmann::json()}};
  if (is_negative(column.name)) return result;
  result["beyond"] = column.responses.gt(page.quantile.unsqueeze(1)).to(at::kDouble).mean().item<double>();
  if (page.about_classes()) {
    const at::Tensor classes = at::tensor(page.units, column.seen.options());
    result["transfer"] = visualization::transfer(column.seen, classes);
  }
  return result;
}

at::Tensor named(const nn::NamedTensors& tensors, const std::string& name) {
  for (const nn::NamedTensor& each : tensors)
    if (each.name == name) return each.tensor;
  fail("the pictures hold no {}; run the stage 'visualization' again", name);
}

}  // namespace

nlohmann::json to_json(const GalleryPage& page) {
  nlohmann::json units = nlohmann::json::array(), columns = nlohmann::json::object(),
                 order = nlohmann::json::array();
  for (std::int64_t row = 0; row < std::ssize(page.unit_names); ++row) {
    nlohmann::json responses = nlohmann::json::object();
    for (const GalleryColumn& column : page.columns) responses[column.name] = numbers(column.responses[row]);
    units.push_back({{"name", page.unit_names[static_cast<std::size_t>(row)]},
                     {"quantile", page.quantile[row].item<double>()},
                     {"responses", responses}});
  }
  for (const GalleryColumn& column : page.columns) {
    columns[column.name] = column_json(column, page);
    order.push_back(column.name);
  }
  return {{"goal", visualization::name_of(page.goal)},
          {"layer", page.layer},
          {"units", units},
          {"columns", columns},
          {"order", order},
          {"typical_distance", page.typical_distance}};
}

nn::NamedTensors tensors_of(const std::vector<GalleryPage>& pages) {
  nn::NamedTensors tensors;
  for (const GalleryPage& page : pages) {
    for (const GalleryColumn& column : page.columns) {
      const std::string name = fmt::format("{}/{}", page.id(), column.name);
      tensors.push_back({name, column.images.contiguous()});
      tensors.push_back({name + "/responses", column.responses.contiguous()});
      tensors.push_back({name + "/seen", column.seen.contiguous()});
    }
    if (page.real.size(1) > 0) tensors.push_back({page.id() + "/real", page.real.contiguous()});
  }
  return tensors;
}

GalleryPage page_of(const nlohmann::json& metrics, const std::string& id, const nn::NamedTensors& tensors) {
  GalleryPage page;
  for (int i = 0; i <= static_cast<int>(visualization::Goal::direction); ++i)
    if (visualization::name_of(static_cast<visualization::Goal>(i)) == metrics.at("goal").get<std::string>())
      page.goal = static_cast<visualization::Goal>(i);
  page.layer = metrics.at("layer").get<std::string>();
  for (const nlohmann::json& unit : metrics.at("units")) page.unit_names.push_back(unit.at("name"));
  for (const nlohmann::json& name : metrics.at("order")) {
    GalleryColumn column;
    column.name = name;
    column.title = metrics.at("columns").at(column.name).at("title");
    const std::string place = fmt::format("{}/{}", id, column.name);
    column.images = named(tensors, place);
    column.responses = named(tensors, place + "/responses");
    column.seen = named(tensors, place + "/seen");
    page.columns.push_back(std::move(column));
  }
  const auto real = std::find_if(tensors.begin(), tensors.end(),
                                 [&](const nn::NamedTensor& each) { return each.name == id + "/real"; });
  page.real = real != tensors.end() ? real->tensor : page.columns.front().images.narrow(1, 0, 0);
  return page;
}

}  // namespace whence::kinds
