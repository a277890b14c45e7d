// The maps that a page lays over their images (web/maps.js).
#include "kinds/attribution/live.h"

#include <nlohmann/json.hpp>

#include "report/text.h"

namespace whence::kinds {
namespace {

using nlohmann::json;

/// Of all maps of a page, which should open at once.
constexpr std::int64_t kBytes = 3'000'000;

/// Signed bytes, the largest size of each map as 127.
json map_layers(const MeasuredMaps& maps, std::int64_t shown) {
  json method = {{"name", maps.method->name},
                 {"title", maps.method->title},
                 {"meaning", maps.method->meaning},
                 {"maps", json::array()},
                 {"largest", json::array()}};
  const at::Tensor values = maps.found.values.narrow(0, 0, shown).sum(1).to(at::kCPU, at::kFloat);
  for (std::int64_t i = 0; i < shown; ++i) {
    const double largest = is_empty(maps) ? 0 : values[i].abs().max().item<double>();
    const at::Tensor bytes =
        (largest > 0 ? values[i] / largest : at::zeros_like(values[i])).mul(127).round().to(at::kChar);
    method["maps"].push_back(report::base64(bytes));
    method["largest"].push_back(largest);
  }
  return method;
}

}  // namespace

std::string maps_layer(const Comparison& comparison, const ExplainedImages& images, const std::string& chosen,
                       std::int64_t shown) {
  const std::int64_t all_methods =
      std::ssize(comparison.methods) * images.images.size(2) * images.images.size(3);
  shown = std::min({shown, images.images.size(0), std::max<std::int64_t>(1, kBytes / all_methods)});
  json page = {{"widget", "maps"},
               {"image", images.images.sizes().slice(1).vec()},
               {"chosen", chosen},
               {"methods", json::array()}};
  const at::Tensor pixels = (images.images.narrow(0, 0, shown) * 255).round().to(at::kByte);
  for (std::int64_t i = 0; i < shown; ++i) {
    const auto at = static_cast<std::size_t>(i);
    page["samples"].push_back(
        {{"image", report::base64(pixels[i])},
         {"label", images.labels.empty() ? "" : images.labels[at]},
         {"target", images.class_names[static_cast<std::size_t>(images.target[i].item<std::int64_t>())]}});
  }
  for (const MeasuredMaps& each : comparison.methods) page["methods"].push_back(map_layers(each, shown));
  return page.dump();
}

}  // namespace whence::kinds
