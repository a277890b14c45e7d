#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "bindings/bindings.h"
#include "bindings/reordered.h"
#include "kinds/gce/flow_keys.h"
#include "whence/core/error.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::python {
namespace {

py::dict flow(const models::Decoder& decoder, const models::Classifier& classifier,
              const std::vector<std::int64_t>& order, std::int64_t causal, const Texts& texts,
              std::uint64_t seed, const py::object& progress) {
  config::Values values;
  read_options(kinds::flow_keys(), texts, values);
  const auto& options = values.get<flow::FlowOptions>();
  if (options.estimator.correction == flow::Correction::jackknife &&
      options.estimator.outer_draws != flow::Placement::independent)
    fail_usage(
        "correction='jackknife' leaves out one draw at a time; give outer_draws='independent' with it");
  const ProgressCallback told = progress_of(progress);
  flow::FlowReport report;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    const ReorderedDecoder reordered(decoder, order);
    const bool in_order = std::is_sorted(order.begin(), order.end());
    const models::Decoder& own = in_order ? decoder : static_cast<const models::Decoder&>(reordered);
    report = flow::measure_flow(own, classifier, causal, options, seed, told);
  }
  py::list factors;
  for (std::size_t i = 0; i < report.factors.size(); ++i)
    factors.append(py::make_tuple(order[i], report.factors[i].causal, report.factors[i].flow.nats,
                                  report.factors[i].flow.se));
  using namespace pybind11::literals;
  return py::dict("alpha"_a = report.alpha.nats, "alpha_se"_a = report.alpha.se, "beta"_a = report.beta.nats,
                  "beta_se"_a = report.beta.se, "factors"_a = factors, "outer"_a = report.outer,
                  "inner"_a = report.inner);
}

}  // namespace

void add_flow(py::module_& module) { module.def("flow", &flow); }

}  // namespace whence::python
