#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "bindings/attribution.h"
#include "kinds/attribution/comparison.h"
#include "whence/explain/attribution/baseline.h"

namespace whence::python {
namespace {

py::dict attribute(const models::Classifier& classifier, const at::Tensor& x,
                   const std::optional<at::Tensor>& target, const std::string& method, const Texts& texts,
                   const std::optional<at::Tensor>& baseline, const std::optional<at::Tensor>& references,
                   const std::optional<Autoencoder>& generator, const TranslatorPtr& translator,
                   std::uint64_t seed, const py::object& progress) {
  const attribution::Method& chosen = attribution::method(method);
  const AttributionChoice choice = attribution_choice(texts, references, seed);
  attribution::Options options = choice.options.options;
  if (baseline) options.of<attribution::Baseline>().image = *baseline;
  options.progress = progress_of(progress);
  options.translator = translator;
  at::Tensor asked;
  attribution::Attribution found;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    asked = target ? target->to(at::kLong) : attribution::answers_to(classifier, x, options.batch);
    const bool knows = kinds::need_codes({&chosen}, options);
    options.generator =
        image_model_of(generator, classifier, knows ? choice.known : 0, seed, options.progress);
    found = chosen.run(classifier, x, asked, options);
  }
  return attribution_dict(found, asked, chosen.name);
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
