// Which map to believe for this model and these images.
#include <nlohmann/json.hpp>

#include "experiment/metrics.h"
#include "kinds/attribution/comparison.h"

namespace whence::kinds {
namespace {

using attribution::Measure;
using nlohmann::json;

/// Above it, a map hardly depends on what the classifier has learned.
constexpr double kAlike = 0.7;
/// What the methods are ordered by: what happens when pixels are removed, by four measures.
constexpr const char* kFaithful[] = {"morf", "lerf", "sensitivity_n", "infidelity"};

/// Whether a method is better than a baseline by more than both errors allow by chance.
bool beats(const json& own, const json& baseline, const Measure& measure) {
  const json &a = own.at(std::string(measure.name)), &b = baseline.at(std::string(measure.name));
  const double gain =
      (measure.larger_is_better ? 1 : -1) * (a.at("mean").get<double>() - b.at("mean").get<double>());
  return gain > experiment::kInterval * std::hypot(a.value("se", 0.0), b.value("se", 0.0));
}

/// Maps that were made elsewhere have only a name.
std::string title_of(const std::string& name) {
  for (const attribution::Method& method : attribution::methods())
    if (method.name == name) return std::string(method.title);
  return name;
}

std::string joined(const std::vector<std::string>& names) {
  std::vector<std::string> titles;
  for (const std::string& name : names) titles.push_back(title_of(name));
  return fmt::format("{}", fmt::join(titles, ", "));
}

/// Each method's rank, summed over the measures that all of them have.
std::string best_of(const json& methods, const std::vector<std::string>& names) {
  std::map<std::string, double> ranks;
  for (const std::string& name : names) ranks[name] = 0;
  for (const char* measure : kFaithful) {
    const bool larger = attribution::measure(measure).larger_is_better;
    if (!std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return methods.at(name).contains(measure); }))
      continue;
    for (const std::string& name : names)
      for (const std::string& other : names) {
        const double difference = mean_of(methods.at(other), measure) - mean_of(methods.at(name), measure);
        if (larger ? difference > 0 : difference < 0) ++ranks[name];
      }
  }
  return *std::min_element(names.begin(), names.end(),
                           [&](const auto& a, const auto& b) { return ranks[a] < ranks[b]; });
}

/// The best by one measure alone.
std::string best_by(const json& methods, const std::vector<std::string>& names, const std::string& measure) {
  const double sign = attribution::measure(measure).larger_is_better ? 1 : -1;
  return *std::max_element(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    return sign * mean_of(methods.at(a), measure) < sign * mean_of(methods.at(b), measure);
  });
}

}  // namespace

double mean_of(const json& metrics, std::string_view measure) {
  return metrics.at(std::string(measure)).at("mean").get<double>();
}

Verdict verdict_of(const json& metrics) {
  const json& methods = metrics.at("methods");
  const Measure& first = attribution::measures().front();
  std::vector<std::string> believable, chance, edges, alike;
  for (const auto& [name, own] : methods.items()) {
    const bool chosen = beats(own, metrics.at("random_order"), first);
    const bool knows = !own.contains("randomization") || mean_of(own, "randomization") < kAlike;
    if (!chosen)
      chance.push_back(name);
    else if (metrics.contains("edge_filter") && !beats(own, metrics.at("edge_filter"), first))
      edges.push_back(name);
    if (!knows) alike.push_back(name);
    if (chosen && knows) believable.push_back(name);
  }
  Verdict verdict;
  if (believable.empty()) {
    verdict.text =
        "**Believe none of these maps.** No method beats a random order and changes with the classifier's "
        "weights.";
  } else {
    verdict.method = best_of(methods, believable);
    const bool randomized = methods.at(verdict.method).contains("randomization");
    verdict.text = fmt::format(
        "**Believe {} first**: of the maps that beat a random order{}, it is best when pixels are removed.{}",
        title_of(verdict.method), randomized ? " and change with the classifier's weights" : "",
        randomized ? "" : " Whether it changes with the classifier's weights could not be measured.");
    if (methods.at(verdict.method).contains("sensitivity_n")) {
      const std::string by_order = best_by(methods, believable, "morf"),
                        by_sets = best_by(methods, believable, "sensitivity_n");
      if (by_order != by_sets)
        verdict.text +=
            fmt::format(" The measures disagree: by {} the best is {}, by {} {}.", first.title,
                        title_of(by_order), attribution::measure("sensitivity_n").title, title_of(by_sets));
    }
  }
  if (!chance.empty())
    verdict.text +=
        fmt::format(" **Not better than a random order here: {}.** Do not trust these maps.", joined(chance));
  if (!edges.empty())
    verdict.text +=
        fmt::format(" Not better than an edge filter, which knows no classifier: {}.", joined(edges));
  if (!alike.empty())
    verdict.text += fmt::format(
        " Much the same with random weights, so not about what the classifier learned: {}.", joined(alike));
  return verdict;
}

}  // namespace whence::kinds
