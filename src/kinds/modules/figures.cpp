// The figures of the paper, and charts of what it leaves open.
#include "kinds/gce/figures.h"
#include "experiment/metrics.h"
#include "explain/flow/classify.h"
#include "kinds/modules/study.h"

namespace whence::kinds {
namespace {

using namespace modularity;
using at::Tensor;

constexpr std::int64_t kMaps = 6;  ///< of a module

std::string module_name(std::int64_t module) { return fmt::format("module {}", module + 1); }

/// (H, W) -> (1, H, W), or (C, H, W) as it is, with 1 as the largest value.
Tensor brightest_one(const Tensor& map) {
  const Tensor values = map.to(at::kFloat).clamp_min(0);
  const Tensor scaled = values / values.max().clamp_min(1e-20);
  return map.dim() == 2 ? scaled.unsqueeze(0) : scaled;
}

/// Channels of a module, the one with the largest weight first.
Channels typical_channels(const Modules& modules, std::int64_t module) {
  Channels channels = modules.channels_of(module);
  const Tensor weights = modules.weights.select(1, module).to(at::kDouble).contiguous();
  std::stable_sort(channels.begin(), channels.end(), [&](std::int64_t a, std::int64_t b) {
    return weights[a].item<double>() > weights[b].item<double>();
  });
  return channels;
}

/// Borders and numbers by the classifier, where there is one.
void classify(report::ImageGrid& grid, const models::Classifier* classifier,
              const std::vector<std::string>& class_names) {
  if (classifier == nullptr) return;
  const std::int64_t rows = grid.images.size(0), columns = grid.images.size(1);
  const Tensor probabilities = flow::probabilities_of(*classifier, grid.images.flatten(0, 1)).to(at::kCPU);
  const auto [probability, label] = probabilities.to(at::kFloat).max(1);
  grid.classes = label.view({rows, columns});
  grid.probabilities = probability.view({rows, columns});
  grid.class_names = class_names;
  grid.legend_name = kBordersAndNumbers;
}

Tensor shown(const Tensor& images) { return images.to(at::kCPU, at::kFloat).clamp(0, 1); }

}  // namespace

report::ImageGrid maps_figure(const Modules& modules) {
  report::ImageGrid grid;
  grid.title = "Modules: templates, and influence maps of their channels";
  std::vector<Tensor> rows;
  std::int64_t columns = 0;
  for (std::int64_t m = 0; m < modules.rank(); ++m)
    columns = std::max(columns, std::min<std::int64_t>(kMaps, std::ssize(modules.channels_of(m))));
  for (std::int64_t m = 0; m < modules.rank(); ++m) {
    std::vector<Tensor> row = {brightest_one(modules.templates[m])};
    const Channels channels = typical_channels(modules, m);
    for (std::int64_t i = 0; i < columns; ++i)
      row.push_back(i < std::ssize(channels)
                        ? brightest_one(modules.maps[channels[static_cast<std::size_t>(i)]].sqrt())
                        : at::ones_like(row.front()));
    rows.push_back(at::stack(row));
    grid.row_labels.push_back(fmt::format("{} ({} channels)", module_name(m), channels.size()));
  }
  grid.images = at::stack(rows);
  grid.column_labels = {"template"};
  for (std::int64_t i = 0; i < columns; ++i) grid.column_labels.push_back(fmt::format("map {}", i + 1));
  const bool coloured = modules.maps.dim() == 4 && modules.maps.size(1) > 1;
  grid.column_axis =
      fmt::format("root mean squared change of {} when one channel is swapped; {} is most",
                  coloured ? "each colour of the image" : "the image", coloured ? "the brightest" : "white");
  return grid;
}

report::ImageGrid hybrids_figure(const Cut& cut, const Modules& modules, const Pairs& pairs,
                                 const models::Classifier* classifier,
                                 const std::vector<std::string>& class_names) {
  const Activations first = cut.before(pairs.first), second = cut.before(pairs.second);
  report::ImageGrid grid;
  grid.title = "Hybrids: original 1 with the channels of one module from original 2";
  std::vector<Tensor> rows = {shown(cut.behind(first)), shown(cut.behind(second))};
  grid.row_labels = {"original 1", "original 2"};
  for (std::int64_t m = 0; m < modules.rank(); ++m) {
    Activations hybrid = first;
    hybrid.maps = swapped(first.maps, second.maps, modules.channels_of(m));
    rows.push_back(shown(cut.behind(hybrid)));
    grid.row_labels.push_back(fmt::format("with module {}", m + 1));
  }
  grid.images = at::stack(rows);
  classify(grid, classifier, class_names);
  return grid;
}

report::ImageGrid scaled_figure(const Cut& cut, const Modules& modules, const Tensor& codes,
                                const models::Classifier* classifier,
                                const std::vector<std::string>& class_names) {
  const std::vector<double> factors = {0, 0.5, 1, 1.5, 2, 3};
  const Activations all = cut.before(codes);
  const Tensor centre = all.maps.mean(0);
  const Activations one = all.rows(0, 1);
  report::ImageGrid grid;
  grid.title = "One image whose modules are attenuated and amplified";
  std::vector<Tensor> rows;
  for (std::int64_t m = 0; m < modules.rank(); ++m) {
    std::vector<Tensor> row;
    for (const double factor : factors) {
      Activations changed = one;
      changed.maps = scaled(one.maps, centre, modules.channels_of(m), factor);
      row.push_back(shown(cut.behind(changed)).squeeze(0));
    }
    rows.push_back(at::stack(row));
    grid.row_labels.push_back(module_name(m));
  }
  grid.images = at::stack(rows);
  for (const double factor : factors) grid.column_labels.push_back(fmt::format("{:g}", factor));
  grid.column_axis = "distance from the mean over images, times (0: ablated, 1: unchanged)";
  classify(grid, classifier, class_names);
  return grid;
}

report::LineChart stability_chart(const nlohmann::json& study) {
  report::Series cosine{"cosine of templates", {}, {}}, rand{"adjusted Rand index of labels", {}, {}};
  report::LineChart chart;
  for (const nlohmann::json& rank : study.at("ranks")) {
    const auto modules = rank.at("rank").get<double>();
    chart.ticks.push_back(modules);
    cosine.x.push_back(modules);
    cosine.y.push_back(rank.at("cosine").get<double>());
    rand.x.push_back(modules);
    rand.y.push_back(rank.at("rand").get<double>());
  }
  chart.title = "Agreement of modules between two halves of the pairs";
  chart.horizontal_axis = "number of modules";
  chart.panels = {{"agreement", {cosine, rand}}};
  chart.points = true;
  return chart;
}

report::BarChart flow_chart(const nlohmann::json& study, std::size_t classes) {
  report::BarChart chart;
  chart.title = "Information flow from modules to the classifier";
  chart.value_axis = "I(module; Y) in nats, with 95 % intervals";
  const auto bar = [&](const std::string& label, const nlohmann::json& value, bool highlighted) {
    chart.bars.push_back({label, value.at("nats").get<double>(),
                          experiment::kInterval * value.at("se").get<double>(), highlighted});
  };
  bar("all channels", study.at("flow").at("all"), false);
  std::int64_t number = 0;
  for (const nlohmann::json& module : study.at("modules")) {
    bar(module_name(number), module.at("flow"), true);
    bar(fmt::format("as many as {}", ++number), module.at("flow").at("random"), false);
  }
  chart.highlighted_name = "the channels of a module";
  chart.other_name = "all channels; as many random ones";
  chart.reference = std::log(static_cast<double>(classes));
  chart.reference_name = fmt::format("most possible: log {}", classes);
  return chart;
}

}  // namespace whence::kinds
