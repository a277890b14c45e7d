// The extension module: whence's library for the process that runs Python.
#include <atomic>
#include <chrono>

#include "bindings/texts.h"
#include "whence/core/error.h"
#include "whence/platform/interrupt_check.h"

namespace whence::python {
namespace {

/// Python's own handlers say whether Ctrl-C came. Asked at most 20 times a second: taking the interpreter is not free.
void check_signals() {
  using Clock = std::chrono::steady_clock;
  static std::atomic<Clock::rep> next{0};
  const Clock::rep now = Clock::now().time_since_epoch().count();
  if (now < next.load(std::memory_order_relaxed)) return;
  next = now + std::chrono::duration_cast<Clock::duration>(std::chrono::milliseconds(50)).count();
  const py::gil_scoped_acquire held;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

/// whence.Error is a RuntimeError; whence.UsageError is also a ValueError.
void add_errors(py::module_& module) {
  // They outlive the interpreter, which must not be asked to free them at the end.
  static PyObject* const error = PyErr_NewExceptionWithDoc(
      "whence.Error", "A file, a model or a machine is not as it must be.", PyExc_RuntimeError, nullptr);
  const py::tuple bases = py::make_tuple(py::handle(error), py::handle(PyExc_ValueError));
  static PyObject* const usage =
      PyErr_NewExceptionWithDoc("whence.UsageError", "An argument is wrong.", bases.ptr(), nullptr);
  module.attr("Error") = py::handle(error);
  module.attr("UsageError") = py::handle(usage);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& found) {
      if (found.code() == ExitCode::interrupted)
        PyErr_SetNone(PyExc_KeyboardInterrupt);
      else
        PyErr_SetString(found.code() == ExitCode::usage ? usage : error, found.what());
    }
  });
}

}  // namespace

PYBIND11_MODULE(_whence, module) {
  py::module_::import("torch");  // its types, and one copy of its library
  add_errors(module);
  add_options(module);
  add_models(module);
  add_translation(module);
  add_attribute(module);
  add_flow(module);
  add_counterfactual(module);
  add_visualize(module);
  add_explain(module);
  add_morph(module);
  add_inversion(module);
  add_modules(module);
  add_evaluate(module);
  add_trust(module);
  add_causes(module);
  add_select(module);
  add_text_classifier(module);
  add_explain_texts(module);
  set_interrupt_check(check_signals);
}

}  // namespace whence::python
