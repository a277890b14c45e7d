// The metrics of a run by name, and how a number spreads over the seeds of an experiment.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/kind.h"

namespace whence::experiment {

/// Half the width of a 95 % interval, in standard errors.
constexpr double kInterval = 1.96;

/// Those of every run, then those of each kind.
std::vector<Metric> all_metrics(const Kinds& kinds);
/// Error (std::out_of_range): no such metric.
const Metric& metric_named(const std::vector<Metric>& metrics, std::string_view name);

/// Its value in metrics.json; nothing where the run has not measured it.
std::optional<double> value_of(const Metric& metric, const nlohmann::json& metrics);
/// The number at a path such as "gce.information_flow.alpha.nats" of a JSON value. An entry of a list is chosen by its "name" or
/// by its number from 0: "gce.information_flow.factors.beta_2.nats". true counts as 1, false as 0. Nothing where there is none.
std::optional<double> number_at(const nlohmann::json& json, std::string_view path);

/// What one shown unit is in the units of metrics.json: "%" and "points" show 100 times a share; "ms", "min" and "h" show
/// seconds, "MiB" bytes. 1 for every other unit.
double shown_per_measured(std::string_view unit);
/// The unit in metrics.json (and in [expected]) of what is shown in `unit`.
std::string_view measured_unit(std::string_view unit);
/// A measured value in the metric's unit with its digits: "97.30".
std::string shown(const Metric& metric, double value);
/// "accuracy of the classifier (%)"
std::string title_of(const Metric& metric);

/// A number over seeds. The median of an even number of values is the mean of the middle two.
struct Spread {
  double least = 0, median = 0, most = 0;
  std::size_t count = 0;
};
/// All zeros without values.
Spread spread_of(std::vector<double> values);

}  // namespace whence::experiment
