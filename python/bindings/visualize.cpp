#include <ATen/ATen.h>

#include "bindings/bindings.h"
#include "kinds/visualization/visualization.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/explain/visualization/measures.h"

namespace whence::python {
namespace {

using visualization::Goal;

Goal goal_named(const std::string& name) {
  const std::vector<std::string_view> names = config::names_to(Goal::direction);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Goal>(i);
  fail_usage("there is no objective '{}'{}", name, did_you_mean(name, names));
}

struct Request {
  const models::Classifier& classifier;
  const models::Decoder* decoder;
  std::optional<at::Tensor> data, labels;
};

/// What is known of the data goes into the options, as the kind of recipes does it.
visualization::Visualizations made(const Request& request, const visualization::Response& response,
                                   visualization::Options options, bool norm, py::dict& facts) {
  std::optional<visualization::ImageStatistics> statistics;
  std::optional<visualization::DataResponse> known;
  visualization::Visualizations found;
  std::optional<visualization::Distance> distance;
  {
    const py::gil_scoped_release released;
    if (request.data) {
      statistics = visualization::statistics_of(*request.data, request.labels.value_or(at::Tensor()),
                                                request.classifier.classes());
      known = visualization::response_of_data(response, *request.data, 8);
      options.spread = known->spread;
      if (norm) options.norms = at::full({response.units()}, statistics->norm, statistics->mean.options());
      if (norm && statistics->class_norms.defined() && !visualization::needs_layer(response.objective().goal))
        options.norms = statistics->class_norms.index_select(
            0, at::tensor(response.objective().units, options.norms.options().dtype(at::kLong)));
    } else if (norm) {
      fail_usage("norm=True takes the norm of the data; give images as data=...");
    }
    found = visualization::visualize(response, options, statistics ? &*statistics : nullptr, request.decoder);
    if (request.data) distance = visualization::distance_to_data(found.images.flatten(0, 1), *request.data);
  }
  if (known) {
    facts["quantile"] = known->quantile;
    facts["nearest_rows"] = known->largest;
    facts["distance"] = distance->nearest.view(found.responses.sizes()) / std::max(distance->typical, 1e-12);
  }
  return found;
}

py::dict visualize(const models::Classifier& classifier, const std::string& objective,
                   const std::string& layer, const std::vector<std::int64_t>& units,
                   const std::optional<std::pair<std::int64_t, std::int64_t>>& place,
                   const std::optional<at::Tensor>& directions, const std::string& parametrization,
                   const Texts& texts, const std::optional<at::Tensor>& data,
                   const std::optional<at::Tensor>& labels, const DecoderPtr& decoder, std::uint64_t seed,
                   bool regularized, const py::object& progress) {
  config::Values values;
  read_options(kinds::visualization_section().keys, texts, values);
  const auto& chosen = values.get<kinds::VisualizationOptions>();
  visualization::Options options = chosen.options;
  options.parametrization = parametrization;
  options.negative = chosen.negative;
  options.seed = seed;
  options.progress = progress_of(progress);
  if (!regularized) options = options.without_regularizers();
  const visualization::Response response(
      classifier, {goal_named(objective), layer, units, place, directions.value_or(at::Tensor())});
  py::dict result;
  const visualization::Visualizations found =
      made({classifier, decoder.get(), data, labels}, response, options, chosen.norm && regularized, result);
  result["images"] = found.images;
  result["responses"] = found.responses;
  result["codes"] = tensor_or_none(found.codes);
  return result;
}

}  // namespace

void add_visualize(py::module_& module) {
  module.def("visualize", &visualize);
  module.def("needs_layer",
             [](const std::string& objective) { return visualization::needs_layer(goal_named(objective)); });
  module.def("layers_with_channels", [](const models::Classifier& classifier) {
    if (classifier.network() == nullptr) return std::vector<std::string>();
    return visualization::layers_with_channels(*classifier.network());
  });
  py::dict parametrizations;
  for (const visualization::Parametrization& each : visualization::parametrizations())
    parametrizations[py::str(std::string(each.name))] = std::string(each.meaning);
  module.attr("parametrizations") = parametrizations;
}

}  // namespace whence::python
