#include "kinds/gce/figures.h"

#include <algorithm>
#include <limits>

#include "kinds/gce/curves.h"
#include "kinds/gce/findings.h"
#include "kinds/gce/gce.h"
#include "report/figures.h"

namespace whence::kinds {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCausal = "causal (alpha)";
constexpr const char* kOther = "non-causal (beta)";

}  // namespace

void draw_sweep(const flow::Sweep& sweep, const SweepFigure& figure, const fs::path& stem) {
  report::ImageGrid grid;
  grid.title = figure.title;
  grid.images = sweep.images;
  const auto [probability, label] = sweep.probabilities.max(2);
  grid.classes = label;
  if (figure.probabilities) grid.probabilities = probability;
  grid.class_names = figure.class_names;
  grid.legend_name = figure.probabilities ? kBordersAndNumbers : kBorders;
  grid.row_labels = figure.row_labels;
  grid.row_axis = figure.row_axis;
  const bool crowded = sweep.values.size() > 13;
  for (std::size_t i = 0; i < sweep.values.size(); ++i) {
    const bool shown = !crowded || i % 4 == 0 || i + 1 == sweep.values.size();
    const double value = sweep.values[i];
    grid.column_labels.push_back(!shown ? "" : value == 0 ? "0" : fmt::format("{:+.3g}", value));
  }
  grid.column_axis = figure.axis;
  report::draw(grid, stem);
}

std::vector<std::string> shown_factors(const nlohmann::json& flow, std::int64_t others) {
  std::vector<double> flows;  // of the others
  for (const nlohmann::json& factor : flow.at("factors"))
    if (!factor.at("causal").get<bool>()) flows.push_back(factor.at("nats").get<double>());
  std::sort(flows.rbegin(), flows.rend());
  const auto most = static_cast<std::size_t>(others);
  const double least =
      most == 0 || flows.size() <= most ? -std::numeric_limits<double>::infinity() : flows[most - 1];
  std::vector<std::string> shown;
  for (const nlohmann::json& factor : flow.at("factors"))
    if (factor.at("causal").get<bool>() || factor.at("nats").get<double>() >= least)
      shown.push_back(factor.at("name").get<std::string>());
  return shown;
}

void draw_flow(const nlohmann::json& flow, const std::vector<std::string>& factors, std::size_t classes,
               const fs::path& stem) {
  report::BarChart chart;
  chart.title = "Information flow to the classifier";
  chart.value_axis = "I(factor; Y) in nats, with 95 % intervals";
  const auto bar = [&](const std::string& label, const nlohmann::json& value, bool causal) {
    chart.bars.push_back(
        {label, value.at("nats").get<double>(), kInterval * value.at("se").get<double>(), causal});
  };
  bar("alpha", flow.at("alpha"), true);
  bar("beta", flow.at("beta"), false);
  std::size_t others = 0, others_shown = 0;
  for (const nlohmann::json& factor : flow.at("factors")) {
    const auto name = factor.at("name").get<std::string>();
    const bool causal = factor.at("causal").get<bool>();
    const bool shown = std::find(factors.begin(), factors.end(), name) != factors.end();
    if (shown) bar(name, factor, causal);
    if (causal) continue;
    ++others;
    if (shown) ++others_shown;
  }
  chart.highlighted_name = kCausal;
  chart.other_name =
      others_shown == others ? kOther : fmt::format("{}, of {} the largest {}", kOther, others, others_shown);
  chart.reference = std::log(static_cast<double>(classes));
  chart.reference_name = fmt::format("most possible: log {}", classes);
  report::draw(chart, stem);
}

void draw_ablation(const nlohmann::json& ablation, const std::vector<std::string>& factors,
                   std::int64_t causal, const fs::path& stem) {
  report::BarChart chart;
  chart.title = "Accuracy when one factor is replaced by noise";
  chart.value_axis = "accuracy";
  const double samples = ablation.at("samples").get<double>();
  const auto bar = [&](const std::string& label, double accuracy, bool highlighted) {
    const double se = std::sqrt(accuracy * (1 - accuracy) / samples);
    chart.bars.push_back({label, accuracy, kInterval * se, highlighted});
  };
  bar("original", ablation.at("original").get<double>(), false);
  bar("all kept", ablation.at("reencoded").get<double>(), false);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    bar(factors[i], ablation.at("replaced").at(factors[i]).get<double>(),
        static_cast<std::int64_t>(i) < causal);
  }
  chart.highlighted_name = "causal factor replaced";
  chart.other_name = "nothing or another factor replaced";
  chart.reference = ablation.at("reencoded").get<double>();
  chart.reference_name = "re-encoded, all factors kept";
  chart.maximum = 1;
  report::draw(chart, stem);
}

}  // namespace whence::kinds
