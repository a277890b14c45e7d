// Measures of attributions: of whence's methods, and of maps that were made elsewhere.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "bindings/attribution.h"
#include "kinds/attribution/comparison.h"
#include "kinds/attribution/truth.h"

namespace whence::python {
namespace {

using attribution::Method;
using NamedMaps = std::vector<std::pair<std::string, at::Tensor>>;

/// {measure: (N)}; without those that cannot be measured.
py::dict measures_of(const kinds::MeasuredMaps& maps) {
  py::dict result;
  for (std::size_t i = 0; i < maps.measures.size(); ++i)
    if (maps.measures[i].defined())
      result[py::str(std::string(attribution::measures()[i].name))] = maps.measures[i];
  return result;
}

py::dict comparison_dict(const kinds::Comparison& comparison, const at::Tensor& target,
                         const std::string& record) {
  py::dict maps, measures, skipped;
  for (const kinds::MeasuredMaps& each : comparison.methods) {
    const py::str name{std::string(each.method->name)};
    maps[name] = attribution_dict(each.found, target, each.method->name);
    measures[name] = measures_of(each);
  }
  for (const auto& [name, reason] : comparison.skipped) skipped[py::str(name)] = reason;
  using namespace pybind11::literals;
  return py::dict("maps"_a = maps, "measures"_a = measures, "skipped"_a = skipped, "target"_a = target,
                  "random_order"_a = measures_of(comparison.random),
                  "edge_filter"_a = measures_of(comparison.edges), "record"_a = record);
}

/// `methods`: names of the table; `own`: maps that were made elsewhere, like x or (N, 1, H, W). The record is what `whence attribute --json`
/// prints, with "believed", the name of the maps that the verdict puts first, or "".
py::dict evaluate_attributions(const models::Classifier& classifier, const at::Tensor& x,
                               const std::optional<at::Tensor>& target,
                               const std::vector<std::string>& methods, bool may_skip, const NamedMaps& own,
                               const Texts& texts, const std::optional<at::Tensor>& references,
                               const std::optional<Autoencoder>& generator, const TranslatorPtr& translator,
                               std::uint64_t seed, const py::object& progress) {
  const AttributionChoice choice = attribution_choice(texts, references, seed);
  kinds::AttributionOptions options = choice.options;
  options.options.translator = translator;
  const ProgressCallback told = progress_of(progress);
  const std::int64_t batch = options.options.batch;
  kinds::AttributionMethods chosen;
  for (const std::string& name : methods) chosen.push_back(&attribution::method(name));
  std::deque<Method> elsewhere;
  kinds::Comparison comparison;
  at::Tensor asked;
  nlohmann::json record;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    asked = target ? target->to(at::kLong) : attribution::answers_to(classifier, x, batch);
    const bool know = kinds::need_codes(chosen, options.options);
    options.options.generator = image_model_of(generator, classifier, know ? choice.known : 0, seed, told);
    if (!chosen.empty())
      comparison = kinds::map_methods(classifier, x, asked, chosen, options, may_skip, told);
    const at::Tensor scores = attribution::scores_of(classifier, x, asked, options.options.score, batch);
    for (const auto& [name, values] : own) {
      Method& maker = elsewhere.emplace_back();
      maker.name = maker.title = name;
      comparison.methods.push_back({&maker, {values, scores, {}, {}}, {}, 0});
    }
    kinds::measure_maps(comparison, classifier, x, asked, options, told);
    record = kinds::to_json(comparison, options);
    const kinds::Verdict verdict = kinds::verdict_of(record);
    record["verdict"] = verdict.text;
    record["believed"] = verdict.method;
  }
  return comparison_dict(comparison, asked, record.dump());
}

/// `share`: of the regions that are taken out at the end.
py::dict perturbation_curve(const models::Classifier& classifier, const at::Tensor& x,
                            const at::Tensor& values, const std::optional<at::Tensor>& target,
                            bool least_relevant_first, double share, const Texts& texts,
                            const std::optional<Autoencoder>& generator, std::uint64_t seed,
                            const py::object& progress) {
  const kinds::AttributionOptions chosen = attribution_choice(texts, {}, seed).options;
  attribution::PerturbationOptions options = chosen.perturbation;
  options.share = share;
  options.progress = progress_of(progress);
  if (least_relevant_first) options.order = attribution::RemovalOrder::least_relevant_first;
  attribution::PerturbationCurve curve;
  at::Tensor asked;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    asked = target ? target->to(at::kLong) : attribution::answers_to(classifier, x, options.batch);
    options.generator = image_model_of(generator, classifier, /*known=*/0, seed, options.progress);
    curve = attribution::perturbation_curve(classifier, x, asked, values, chosen.options.score, options);
  }
  using namespace pybind11::literals;
  return py::dict("scores"_a = curve.scores, "area"_a = curve.area, "target"_a = asked);
}

/// The methods (all without names) on problems whose answer is known (all without names). What `whence attribute --truth --json` prints, with
/// "summary".
std::string attribution_truth(const std::vector<std::string>& methods,
                              const std::vector<std::string>& problems, std::int64_t images,
                              const Texts& texts, std::uint64_t seed, const py::object& progress) {
  const attribution::Options options = attribution_choice(texts, {}, seed).options.options;
  const kinds::AttributionMethods chosen = kinds::attribution_methods(methods);
  const ProgressCallback told = watched(progress);
  std::vector<const attribution::TruthProblem*> asked;
  for (const std::string& name : problems) asked.push_back(&attribution::truth_problem(name));
  if (problems.empty())
    for (const attribution::TruthProblem& each : attribution::truth_problems()) asked.push_back(&each);
  const py::gil_scoped_release released;
  kinds::TruthTrials trials;
  std::vector<std::string_view> absent;
  for (const attribution::TruthProblem* problem : asked) {
    auto trial = attribution::try_methods(
        *problem, chosen, {.images = images, .seed = seed, .pictures = nullptr, .progress = told}, options);
    if (trial)
      trials.push_back(std::move(*trial));
    else
      absent.push_back(problem->name);
  }
  nlohmann::json found = kinds::to_json(trials);
  if (!absent.empty()) found["without_data"] = absent;
  if (!trials.empty()) found["summary"] = kinds::truth_summary(found);
  return found.dump();
}

/// {name: {...}} of the problems whose answer is known.
py::dict truth_problems() {
  using namespace pybind11::literals;
  py::dict result;
  for (const attribution::TruthProblem& each : attribution::truth_problems()) {
    const attribution::TruthScore& score = attribution::truth_score(each.scores.front());
    result[py::str(std::string(each.name))] =
        py::dict("title"_a = std::string(each.title), "meaning"_a = std::string(each.meaning),
                 "source"_a = std::string(each.source), "score"_a = std::string(score.name),
                 "score_title"_a = std::string(score.title), "larger_is_better"_a = score.larger_is_better);
  }
  return result;
}

/// {name: {...}} of the table.
py::dict measures() {
  using namespace pybind11::literals;
  py::dict result;
  for (const attribution::Measure& each : attribution::measures())
    result[py::str(std::string(each.name))] =
        py::dict("title"_a = std::string(each.title), "meaning"_a = std::string(each.meaning),
                 "source"_a = std::string(each.source), "larger_is_better"_a = each.larger_is_better);
  return result;
}

}  // namespace

void add_evaluate(py::module_& module) {
  module.attr("measures") = measures();
  module.attr("truth_problems") = truth_problems();
  module.def("attribution_truth", &attribution_truth);
  module.def("evaluate_attributions", &evaluate_attributions);
  module.def("perturbation_curve", &perturbation_curve);
}

}  // namespace whence::python
