#include "kinds/attribution/results.h"

#include "whence/core/error.h"
#include "whence/explain/attribution/path_mask.h"

namespace whence::kinds {
namespace {

/// Calls `visit(name, tensor)` for every tensor that a method may have.
template <class Maps, class Visit>
void for_tensors(Maps& maps, const Visit& visit) {
  visit("values", maps.found.values);
  visit("scores", maps.found.scores);
  visit("completeness_error", maps.found.completeness_error);
  visit("standard_error", maps.found.standard_error);
  visit("approximation_error", maps.found.approximation_error);
  for (std::size_t i = 0; i < maps.measures.size(); ++i)
    visit(std::string(attribution::measures()[i].name), maps.measures[i]);
}

void save(const MeasuredMaps& maps, const std::string& name, experiment::Results& results) {
  for_tensors(maps, [&](const std::string& tensor, const at::Tensor& values) {
    if (values.defined()) results.rows.push_back({fmt::format("{}/{}", name, tensor), values.contiguous()});
  });
  results.sums["seconds/" + name] = maps.seconds;
}

MeasuredMaps load(const experiment::Results& results, const std::string& name) {
  MeasuredMaps maps;
  maps.measures.resize(attribution::measures().size());
  for_tensors(maps, [&](const std::string& tensor, at::Tensor& values) {
    values = results.row(fmt::format("{}/{}", name, tensor));
  });
  const auto seconds = results.sums.find("seconds/" + name);
  if (seconds != results.sums.end()) maps.seconds = seconds->second;
  return maps;
}

constexpr const char* kRandom = "random order";
constexpr const char* kEdges = "edge filter";

}  // namespace

experiment::Results results_of(const Comparison& comparison, const AttributionOptions& options) {
  experiment::Results results;
  for (const MeasuredMaps& each : comparison.methods) save(each, std::string(each.method->name), results);
  save(comparison.random, kRandom, results);
  save(comparison.edges, kEdges, results);
  for (const auto& [name, reason] : comparison.skipped) results.notes[name] = reason;
  results.about = {{"score", static_cast<int>(options.options.score)},
                   {"replacement", static_cast<int>(options.perturbation.replacement)},
                   {"path_baseline", options.options.of<attribution::ImagePath>().baseline}};
  return results;
}

Comparison comparison_of(const experiment::Results& results) {
  Comparison comparison;
  constexpr std::string_view values = "/values";
  for (const nn::NamedTensor& row : results.rows) {
    if (!row.name.ends_with(values)) continue;
    const std::string name = row.name.substr(0, row.name.size() - values.size());
    if (name == kRandom || name == kEdges || results.notes.contains(name)) continue;
    comparison.methods.push_back(load(results, name));
    comparison.methods.back().method = &attribution::method(name);
  }
  for (const auto& [name, reason] : results.notes.items())
    comparison.skipped.emplace_back(name, reason.get<std::string>());
  if (comparison.methods.empty())
    fail("no method of attribution works on all of the images{}",
         comparison.skipped.empty() ? std::string() : fmt::format(": {}", comparison.skipped.front().second));
  comparison.random = load(results, kRandom);
  comparison.edges = load(results, kEdges);
  return comparison;
}

AttributionOptions options_of(const experiment::Results& results) {
  AttributionOptions options;
  options.options.score = static_cast<attribution::Score>(results.about.at("score").get<int>());
  options.perturbation.replacement =
      static_cast<attribution::Replacement>(results.about.at("replacement").get<int>());
  auto& baseline = options.options.of<attribution::ImagePath>().baseline;
  baseline = results.about.value("path_baseline", baseline);  // older parts do not say
  return options;
}

}  // namespace whence::kinds
