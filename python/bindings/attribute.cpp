#include <ATen/ATen.h>

#include "bindings/bindings.h"
#include "kinds/attribution/attribution.h"
#include "whence/core/error.h"
#include "whence/explain/attribution/baseline.h"

namespace whence::python {
namespace {

attribution::Options options_of(const Texts& texts, const std::optional<at::Tensor>& baseline,
                                const std::optional<at::Tensor>& references, std::uint64_t seed,
                                const py::object& progress) {
  config::Values values;
  read_options(kinds::attribution_section().keys, texts, values);
  attribution::Options options = values.get<kinds::AttributionOptions>().options;
  options.seed = seed;
  if (references) options.references = *references;
  if (baseline) options.of<attribution::Baseline>().image = *baseline;
  options.progress = progress_of(progress);
  return options;
}

py::dict attribute(const models::Classifier& classifier, const at::Tensor& x,
                   const std::optional<at::Tensor>& target, const std::string& method, const Texts& texts,
                   const std::optional<at::Tensor>& baseline, const std::optional<at::Tensor>& references,
                   std::uint64_t seed, const py::object& progress) {
  const attribution::Method& chosen = attribution::method(method);
  const attribution::Options options = options_of(texts, baseline, references, seed, progress);
  at::Tensor asked;
  attribution::Attribution found;
  {
    const py::gil_scoped_release released;
    asked = target ? target->to(at::kLong) : attribution::answers_to(classifier, x, options.batch);
    found = chosen.run(classifier, x, asked, options);
  }
  using namespace pybind11::literals;
  return py::dict("values"_a = found.values, "scores"_a = found.scores, "target"_a = asked,
                  "completeness_error"_a = tensor_or_none(found.completeness_error),
                  "standard_error"_a = tensor_or_none(found.standard_error),
                  "method"_a = std::string(chosen.name));
}

/// {name: {...}} of the table.
py::dict methods() {
  using namespace pybind11::literals;
  py::dict result;
  for (const attribution::Method& each : attribution::methods()) {
    py::list options;
    for (const attribution::Option& option : each.options) options.append(std::string(option.name));
    result[py::str(std::string(each.name))] =
        py::dict("title"_a = std::string(each.title), "meaning"_a = std::string(each.meaning),
                 "source"_a = std::string(each.source), "needs_layers"_a = each.needs_layers(),
                 "needs_generator"_a = each.needs == attribution::Needs::generator,
                 "needs_references"_a = each.needs == attribution::Needs::references ||
                                        each.needs == attribution::Needs::training,
                 "signed"_a = each.is_signed, "complete"_a = each.complete, "options"_a = options);
  }
  return result;
}

}  // namespace

void add_attribute(py::module_& module) {
  module.attr("methods") = methods();
  module.def("method_named",
             [](const std::string& name) { return std::string(attribution::method(name).name); });
  module.def("attribute", &attribute);
}

}  // namespace whence::python
