#include "experiment/metrics.h"

#include <algorithm>

namespace whence::experiment {
namespace {

const std::vector<Metric>& base_metrics() {
  using enum Better;
  static const std::vector<Metric> table = {
      {"accuracy", "accuracy of the classifier", "%", 2, higher, "The classifier's accuracy on test images.",
       "classifier.test_accuracy"},
      {"classifier_seconds", "training of the classifier", "min", 1, lower, "The training of the classifier.",
       "classifier.train_seconds"},
      {"total_seconds", "the whole run", "min", 1, lower, "All stages of the run.", "",
       [](const nlohmann::json& metrics) -> std::optional<double> {
         double sum = 0;
         for (const nlohmann::json& stage : metrics.at("stages")) sum += stage.at("seconds").get<double>();
         return sum;
       }},
      {"memory_bytes", "largest memory", "MiB", 0, lower, "The most memory that a stage used.",
       "peak_memory_bytes"}};
  return table;
}

/// The entry of an object or list; nullptr when there is none.
const nlohmann::json* child_of(const nlohmann::json& parent, const std::string& key) {
  if (parent.is_object()) return parent.contains(key) ? &parent.at(key) : nullptr;
  if (!parent.is_array()) return nullptr;
  for (std::size_t i = 0; i < parent.size(); ++i) {
    const nlohmann::json& item = parent[i];
    const bool named = item.is_object() && item.contains("name") && item["name"].is_string();
    if (key == (named ? item["name"].get<std::string>() : std::to_string(i))) return &item;
  }
  return nullptr;
}

}  // namespace

std::vector<Metric> all_metrics(const Kinds& kinds) {
  std::vector<Metric> all = base_metrics();
  for (const Kind& kind : kinds) all.insert(all.end(), kind.metrics.begin(), kind.metrics.end());
  return all;
}

const Metric& metric_named(const std::vector<Metric>& metrics, std::string_view name) {
  const auto found = std::ranges::find(metrics, name, &Metric::name);
  if (found == metrics.end()) throw std::out_of_range(std::string(name));
  return *found;
}

std::optional<double> value_of(const Metric& metric, const nlohmann::json& metrics) {
  if (metric.of == nullptr) return number_at(metrics, metric.path);
  try {
    return metric.of(metrics);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::optional<double> number_at(const nlohmann::json& json, std::string_view path) {
  const nlohmann::json* node = &json;
  while (node != nullptr) {
    const std::size_t dot = path.find('.');
    node = child_of(*node, std::string(path.substr(0, dot)));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (node == nullptr || !(node->is_number() || node->is_boolean())) return std::nullopt;
  return node->is_boolean() ? (node->get<bool>() ? 1 : 0) : node->get<double>();
}

double shown_per_measured(std::string_view unit) {
  if (unit == "%" || unit == "points") return 100;
  if (unit == "ms") return 1000;
  if (unit == "min") return 1.0 / 60;
  if (unit == "h") return 1.0 / 3600;
  if (unit == "MiB") return 1.0 / (1 << 20);
  return 1;
}

std::string_view measured_unit(std::string_view unit) {
  if (unit == "%" || unit == "points") return "share";
  if (unit == "ms" || unit == "min" || unit == "h") return "s";
  return unit == "MiB" ? "bytes" : unit;
}

std::string shown(const Metric& metric, double value) {
  return fmt::format("{:.{}f}", value * shown_per_measured(metric.unit), metric.digits);
}

std::string title_of(const Metric& metric) {
  return fmt::format("{}{}", metric.title, metric.unit.empty() ? "" : fmt::format(" ({})", metric.unit));
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
  return {values.front(), median, values.back(), values.size()};
}

}  // namespace whence::experiment
