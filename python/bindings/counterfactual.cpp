#include "whence/explain/counterfactual/counterfactual.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "bindings/bindings.h"
#include "bindings/reordered.h"
#include "kinds/counterfactual/search_keys.h"

namespace whence::python {
namespace {

/// Codes in the order of `decoder`'s own latents.
at::Tensor in_place(const at::Tensor& codes, const std::vector<std::int64_t>& order) {
  return codes.index_select(1, at::argsort(at::tensor(order, codes.options().dtype(at::kLong))));
}

py::dict counterfactual(const models::Decoder& decoder, const models::Classifier& classifier,
                        const at::Tensor& codes, const std::optional<at::Tensor>& original,
                        const std::vector<std::int64_t>& order, std::int64_t causal,
                        std::optional<std::int64_t> to, const Texts& texts, const py::object& progress) {
  config::Values values;
  read_options(kinds::counterfactual_search_keys(), texts, values);
  auto options = values.get<counterfactual::CounterfactualOptions>();
  options.to = to;
  const ProgressCallback told = progress_of(progress);
  counterfactual::Counterfactuals found;
  at::Tensor images, moved, before;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    const ReorderedDecoder own(decoder, order);
    const at::Tensor ordered = codes.index_select(1, at::tensor(order, codes.options().dtype(at::kLong)));
    found = counterfactual::find_counterfactuals(own, classifier, ordered, causal, options, told);
    moved = in_place(found.moved(), order);
    images = decoder.decode(moved);
    if (original) before = classifier.logits(*original).softmax(1);
  }
  using namespace pybind11::literals;
  return py::dict("images"_a = images, "codes"_a = moved, "move"_a = found.move,
                  "distance"_a = found.distance, "found"_a = found.found, "already"_a = found.already,
                  "original"_a = tensor_or_none(before), "before"_a = found.before, "after"_a = found.after,
                  "from_class"_a = found.from, "to_class"_a = found.to);
}

}  // namespace

void add_counterfactual(py::module_& module) { module.def("counterfactual", &counterfactual); }

}  // namespace whence::python
