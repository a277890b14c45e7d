#include "experiment/metrics.h"

#include "experiment/findings.h"

namespace whence::experiment {
namespace {

using MaybeFigure = std::optional<double>;

/// Either a path or a function.
struct Definition {
  NamedMetric metric;
  std::string_view path;
  MaybeFigure (*of)(const nlohmann::json& metrics);
};

/// What `figure` makes of the run's findings.
template <auto figure>
MaybeFigure from_findings(const nlohmann::json& metrics) {
  return figure(findings_of(metrics));
}

MaybeFigure when(bool there, double value) { return there ? MaybeFigure(value) : std::nullopt; }

/// Of the alphas: the largest absolute correlation of that kind.
template <char const* kind>
MaybeFigure alpha_brightness(const nlohmann::json& metrics) {
  MaybeFigure largest;
  for (const nlohmann::json& factor : metrics.at("gce").at("brightness").at("factors")) {
    if (!factor.at("name").get<std::string>().starts_with("alpha")) continue;
    largest = std::max(largest.value_or(0), std::abs(factor.at(kind).get<double>()));
  }
  return largest;
}
constexpr char kEncoded[] = "encoded", kGenerated[] = "generated";

/// Of the network on test images, or of the best linear model.
template <char const* model>
MaybeFigure sse_and_kl(const nlohmann::json& metrics) {
  const nlohmann::json& parts = metrics.at("gce").at(model);
  return parts.at("sse").get<double>() + parts.at("kl").get<double>();
}
constexpr char kTest[] = "test", kLinear[] = "linear";

MaybeFigure all_seconds(const nlohmann::json& metrics) {
  double sum = 0;
  for (const nlohmann::json& stage : metrics.at("stages")) sum += stage.at("seconds").get<double>();
  return sum;
}

constexpr auto largest_beta = [](const Findings& f) { return when(f.has_others, f.largest_other.value); };
constexpr auto beta_share = [](const Findings& f) {
  return when(f.has_others && std::isfinite(f.noncausal_share), f.noncausal_share);
};
constexpr auto alpha_kept = [](const Findings& f) { return when(!f.causal.empty(), f.alpha_kept.value); };
constexpr auto beta_kept = [](const Findings& f) { return when(f.has_others, f.beta_kept.value); };
constexpr auto alpha_cost = [](const Findings& f) {
  return when(!f.causal.empty(), f.reencoded - f.alpha_kept.value);
};
constexpr auto beta_cost = [](const Findings& f) {
  return when(f.has_others, f.reencoded - f.beta_kept.value);
};

const std::vector<Definition>& definitions() {
  static const std::vector<Definition> table = {
      {{"accuracy", "accuracy of the classifier", "%", 2, "on test images, a share"},
       "classifier.test_accuracy",
       {}},
      {{"flow", "I(alpha; Y)", "nats", 3, "of all alphas together, nats"},
       "gce.information_flow.alpha.nats",
       {}},
      {{"largest_beta", "largest I(beta_i; Y)", "nats", 4, "of a single beta, nats"},
       {},
       from_findings<largest_beta>},
      {{"beta_share", "share of the flow in the betas", "%", 2,
        "I(beta; Y) / (I(alpha; Y) + I(beta; Y)), flows below 0 counted as 0"},
       {},
       from_findings<beta_share>},
      {{"sse", "SSE", "", 2, "squared error of a reconstruction, summed over pixels"}, "gce.test.sse", {}},
      {{"kl", "KL", "nats", 2, "of the codes of test images against N(0, I), nats"}, "gce.test.kl", {}},
      {{"bound", "SSE + KL", "", 2, "the loss of the image model"}, {}, sse_and_kl<kTest>},
      {{"linear_bound", "SSE + KL of the best linear model", "", 2,
        "of probabilistic principal components with as many latents"},
       {},
       sse_and_kl<kLinear>},
      {{"reencoded", "accuracy, re-encoded", "%", 1, "on test images that were encoded and decoded, a share"},
       "gce.ablation.reencoded",
       {}},
      {{"alpha_kept", "accuracy, an alpha replaced (largest)", "%", 1,
        "re-encoded with noise for one alpha, a share"},
       {},
       from_findings<alpha_kept>},
      {{"beta_kept", "accuracy, a beta replaced (smallest)", "%", 1,
        "re-encoded with noise for one beta, a share"},
       {},
       from_findings<beta_kept>},
      {{"alpha_cost", "accuracy that replacing an alpha costs, at least", "points", 1,
        "reencoded - alpha_kept, a share"},
       {},
       from_findings<alpha_cost>},
      {{"beta_cost", "accuracy that replacing a beta costs, at most", "points", 1,
        "reencoded - beta_kept, a share"},
       {},
       from_findings<beta_cost>},
      {{"flip_rate", "counterfactuals found", "%", 1, "test images with one, a share"},
       "gce.counterfactual.flip_rate",
       {}},
      {{"brightness", "correlation of an alpha with the brightness of generated images", "", 3,
        "the largest in absolute value"},
       {},
       alpha_brightness<kGenerated>},
      {{"brightness_encoded", "correlation of an alpha with the brightness of the test image it is read from",
        "", 3, "the largest in absolute value"},
       {},
       alpha_brightness<kEncoded>},
      {{"same_causes", "correlation of the alphas with those of another training", "", 2,
        "trust.other_run: the mean canonical correlation over the test images, 1 when they say the same"},
       "gce.trust.seeds.alpha_subspace",
       {}},
      {{"classifier_seconds", "training of the classifier", "min", 1, "seconds"},
       "classifier.train_seconds",
       {}},
      {{"training_seconds", "training of the explanation", "min", 1, "seconds"}, "gce.train_seconds", {}},
      {{"total_seconds", "the whole run", "min", 1, "all its stages, seconds"}, {}, all_seconds},
      {{"memory_bytes", "largest memory", "MiB", 0, "bytes"}, "peak_memory_bytes", {}},
  };
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

MaybeFigure figure_at(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  return when(value.is_number(), value.is_number() ? value.get<double>() : 0);
}

MaybeFigure at_path(const nlohmann::json& metrics, std::string_view path) {
  const nlohmann::json* node = &metrics;
  while (node != nullptr) {
    const std::size_t dot = path.find('.');
    node = child_of(*node, std::string(path.substr(0, dot)));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  return node == nullptr ? std::nullopt : figure_at(*node);
}

/// What a run has not measured is not in its metrics.json, and asking for it is no error here.
MaybeFigure figure_of(const Definition& definition, const nlohmann::json& metrics) {
  if (definition.of == nullptr) return at_path(metrics, definition.path);
  try {
    return definition.of(metrics);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void add_paths(const nlohmann::json& node, const std::string& path, std::vector<std::string>& names) {
  if (figure_at(node)) names.push_back(path);
  for (const auto& [key, value] : node.items()) {
    if (node.is_primitive()) break;
    const bool named = node.is_array() && value.is_object() && value.contains("name");
    const std::string name = named ? value.value("name", key) : key;
    add_paths(value, path.empty() ? name : fmt::format("{}.{}", path, name), names);
  }
}

}  // namespace

std::span<const NamedMetric> named_metrics() {
  static const std::vector<NamedMetric> table = [] {
    std::vector<NamedMetric> names;
    for (const Definition& definition : definitions()) names.push_back(definition.metric);
    return names;
  }();
  return table;
}

std::optional<double> metric(const nlohmann::json& metrics, std::string_view name) {
  for (const Definition& definition : definitions())
    if (definition.metric.name == name) return figure_of(definition, metrics);
  return at_path(metrics, name);
}

std::vector<std::string> metric_names(const nlohmann::json& metrics) {
  std::vector<std::string> names;
  for (const Definition& definition : definitions())
    if (figure_of(definition, metrics)) names.emplace_back(definition.metric.name);
  add_paths(metrics, "", names);
  return names;
}

double shown_per_measured(std::string_view unit) {
  if (unit == "%" || unit == "points") return 100;
  if (unit == "ms") return 1000;
  if (unit == "min") return 1.0 / 60;
  if (unit == "h") return 1.0 / 3600;
  if (unit == "MiB") return 1.0 / (1 << 20);
  return 1;
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
  return {values.front(), median, values.back(), values.size()};
}

}  // namespace whence::experiment
