#include "whence/explain/counterfactual/counterfactual.h"

#include <limits>
#include <map>

namespace whence::counterfactual {
namespace {

using at::Tensor;

double share_of(const Tensor& mask) { return mask.to(at::kDouble).mean().item<double>(); }

std::vector<std::pair<std::string, double>> spread_of(const Tensor& distance) {
  const Tensor values = distance.to(at::kDouble);
  std::vector<std::pair<std::string, double>> spread = {{"mean", values.mean().item<double>()}};
  for (const int percent : {5, 25, 50, 75, 95})
    spread.emplace_back(fmt::format("q{:02}", percent), at::quantile(values, percent / 100.0).item<double>());
  spread.emplace_back("max", values.max().item<double>());
  return spread;
}

std::vector<ClassChange> changes_of(const Tensor& from, const Tensor& to, const Tensor& distance) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<double>> by_pair;
  const Tensor start = from.cpu(), end = to.cpu(), far = distance.cpu();
  for (std::int64_t i = 0; i < from.size(0); ++i)
    by_pair[{start[i].item<std::int64_t>(), end[i].item<std::int64_t>()}].push_back(far[i].item<double>());
  std::vector<ClassChange> changes;
  for (const auto& [pair, distances] : by_pair) {
    const double median =
        at::quantile(at::tensor(distances, far.options().dtype(at::kDouble)), 0.5).item<double>();
    changes.push_back({pair.first, pair.second, static_cast<std::int64_t>(distances.size()), median});
  }
  return changes;
}

}  // namespace

CounterfactualSummary summarise(const Counterfactuals& c) {
  CounterfactualSummary summary;
  summary.images = c.size();
  summary.radius = c.radius;
  summary.agreement = c.original.defined() ? share_of(c.original.argmax(1).eq(c.from))
                                           : std::numeric_limits<double>::quiet_NaN();
  const Tensor asked = c.already.logical_not();
  summary.asked = asked.sum().item<std::int64_t>();
  if (summary.asked > 0) {
    const double rate = share_of(c.found.masked_select(asked));
    summary.flip_rate = rate;
    summary.flip_se = std::sqrt(rate * (1 - rate) / static_cast<double>(summary.asked));
  }
  if (c.found.any().item<bool>()) {
    const Tensor distance = c.distance.masked_select(c.found);
    summary.distance = spread_of(distance);
    summary.changes = changes_of(c.from.masked_select(c.found), c.to.masked_select(c.found), distance);
  }
  return summary;
}

nlohmann::json to_json(const CounterfactualSummary& summary, const std::vector<std::string>& class_names) {
  const auto name = [&](std::int64_t label) {
    const auto index = static_cast<std::size_t>(label);
    return index < class_names.size() ? class_names[index] : std::to_string(label);
  };
  nlohmann::json json = {{"images", summary.images},       {"asked", summary.asked},
                         {"flip_rate", summary.flip_rate}, {"flip_rate_se", summary.flip_se},
                         {"radius", summary.radius},       {"changes", nlohmann::json::array()}};
  if (!std::isnan(summary.agreement)) json["agreement"] = summary.agreement;
  for (const auto& [key, value] : summary.distance) json["distance"][key] = value;
  for (const ClassChange& change : summary.changes)
    json["changes"].push_back({{"from", name(change.from)},
                               {"to", name(change.to)},
                               {"images", change.images},
                               {"median", change.median}});
  return json;
}

}  // namespace whence::counterfactual
