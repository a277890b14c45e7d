// What the parts of the Python module share.
#pragma once

#include <torch/csrc/utils/pybind.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/schema.h"
#include "whence/core/progress.h"
#include "whence/models/roles.h"
#include "whence/models/translator.h"

namespace whence::python {

namespace py = pybind11;

using ClassifierPtr = std::shared_ptr<models::Classifier>;
using DecoderPtr = std::shared_ptr<models::Decoder>;
using EncoderPtr = std::shared_ptr<models::Encoder>;
using TranslatorPtr = std::shared_ptr<models::Translator>;

void add_options(py::module_& module);
void add_models(py::module_& module);
void add_function_models(py::module_& module);
void add_attribute(py::module_& module);
void add_flow(py::module_& module);
void add_counterfactual(py::module_& module);
void add_visualize(py::module_& module);
void add_explain(py::module_& module);
void add_morph(py::module_& module);
void add_inversion(py::module_& module);
/// Before add_attribute, which takes a translator.
void add_translation(py::module_& module);
void add_modules(py::module_& module);
void add_evaluate(py::module_& module);
void add_trust(py::module_& module);
void add_causes(py::module_& module);
void add_select(py::module_& module);

/// Keys of [explanation], with the shorter schedule of this module: recipes/gce/fmnist-034.toml's, with fewer steps.
std::vector<config::Key> explanation_keys();
config::Values explanation_defaults();
/// Modules are always asked for here.
config::Values modules_defaults();

/// Values as text, as config::assign reads them.
using Texts = std::map<std::string, std::string>;
/// Writes the options into `values`. Errors (usage): no such option (names the nearest); those of config::assign.
void read_options(const std::vector<config::Key>& keys, const Texts& options, config::Values& values);

/// Tells a Python function of each step, which may raise to stop the work. None: nothing.
ProgressCallback progress_of(const py::object& function);

/// The same for long work, which also hears Ctrl-C at each step.
ProgressCallback watched(const py::object& function);

/// None for an undefined tensor.
py::object tensor_or_none(const at::Tensor& tensor);

}  // namespace whence::python
