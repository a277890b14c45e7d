// Options are those of the recipes and the command line: names, ranges, meanings and errors come from the one schema.
#include "bindings/attribution.h"
#include "bindings/texts.h"
#include "kinds/attribution/attribution.h"
#include "kinds/causes/causes.h"
#include "kinds/counterfactual/search_keys.h"
#include "kinds/gce/flow_keys.h"
#include "kinds/gce/selection_keys.h"
#include "kinds/modules/modules.h"
#include "kinds/morphing/morphing.h"
#include "kinds/visualization/visualization.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/explain/gce/select.h"
#include "whence/platform/interrupt.h"

namespace whence::python {
namespace {

/// {name: (allowed, default, unit, meaning)}
py::dict described(const std::vector<config::Key>& keys, const config::Values& defaults = {}) {
  py::dict result;
  for (const config::Key& key : keys)
    result[py::str(std::string(key.name))] =
        py::make_tuple(config::allowed(key.type), config::written(key.type, defaults), std::string(key.unit),
                       std::string(key.doc));
  return result;
}

config::Values selection_defaults() {
  config::Values values;
  values.get<gce::SelectionOptions>() = gce::selection_options(gce::SelectionRule::standard_error);
  return values;
}

}  // namespace

void read_options(const std::vector<config::Key>& keys, const Texts& options, config::Values& values) {
  for (const auto& [name, text] : options) {
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const auto& each) { return each.name == name; });
    if (key == keys.end()) {
      std::vector<std::string_view> names;
      for (const config::Key& each : keys) names.push_back(each.name);
      fail_usage("there is no option '{}'{}", name, did_you_mean(name, names));
    }
    config::assign(*key, text, name, values);
  }
}

ProgressCallback progress_of(const py::object& function) {
  if (function.is_none()) return {};
  // The caller's argument outlives the call, so no reference is counted where the interpreter is not held.
  const py::handle handle = function;
  return [handle](const Progress& progress) {
    const py::gil_scoped_acquire held;
    handle(progress.stage, progress.step, progress.total);
  };
}

ProgressCallback watched(const py::object& function) {
  return [told = progress_of(function)](const Progress& now) {
    throw_if_interrupted();
    if (told) told(now);
  };
}

py::object tensor_or_none(const at::Tensor& tensor) {
  return tensor.defined() ? py::cast(tensor) : py::object(py::none());
}

void add_options(py::module_& module) {
  const auto section = [](config::Section (*make)()) { return described(make().keys); };
  module.attr("options") = py::dict(
      py::arg("attribute") = described(attribution_keys()), py::arg("flow") = described(kinds::flow_keys()),
      py::arg("counterfactual") = described(kinds::counterfactual_search_keys()),
      py::arg("visualize") = section(kinds::visualization_section),
      py::arg("explain") = described(explanation_keys(), explanation_defaults()),
      py::arg("explain_texts") = described(text_explanation_keys(), text_explanation_defaults()),
      py::arg("morph") = section(kinds::morphing_section),
      py::arg("modules") = described(kinds::modules_section().keys, modules_defaults()),
      py::arg("select") = described(kinds::selection_keys(), selection_defaults()),
      py::arg("causes") = section(kinds::causes_section));
}

}  // namespace whence::python
