// The figures of a run by name, and how a figure spreads over the seeds of an experiment.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace whence::experiment {

/// A figure with a name of its own: short for a path, or computed from several entries of metrics.json.
struct NamedMetric {
  std::string_view name, title;  ///< for files, for people
  std::string_view unit;         ///< that it is best shown in
  int digits;                    ///< after the point, in that unit
  std::string_view doc;          ///< meaning, with the unit that it is measured in
};
std::span<const NamedMetric> named_metrics();

/// The figure that `name` stands for in metrics.json (or in another JSON object): one of named_metrics(), or a path
/// such as "gce.information_flow.alpha.nats". An entry of a list is chosen by its "name" or by its number from 0:
/// "gce.information_flow.factors.beta_2.nats". true counts as 1, false as 0. Nothing where the run has not measured it.
std::optional<double> metric(const nlohmann::json& metrics, std::string_view name);

/// Every name that metric() finds a figure for, those of named_metrics() first.
std::vector<std::string> metric_names(const nlohmann::json& metrics);

/// What one shown unit of a figure is in the units of metrics.json: "%" and "points" show 100 times a share; "ms",
/// "min" and "h" show seconds, "MiB" bytes. 1 for every other unit.
double shown_per_measured(std::string_view unit);

/// A figure over seeds. The median of an even number of values is the mean of the middle two.
struct Spread {
  double least = 0, median = 0, most = 0;
  std::size_t count = 0;
};
/// All zeros without values.
Spread spread_of(std::vector<double> values);

}  // namespace whence::experiment
