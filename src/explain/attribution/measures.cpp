#include "whence/explain/attribution/measures.h"

#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::attribution {
namespace {

template <RemovalOrder order>
at::Tensor area(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                const at::Tensor& values, Score score, const PerturbationOptions& options) {
  PerturbationOptions own = options;
  own.order = order;
  return perturbation_curve(classifier, x, target, values, score, own).area;
}

constexpr Measure kMeasures[] = {
    {.name = "morf",
     .title = "area over the MoRF curve",
     .meaning = "How far the score falls, on average, while the most relevant regions are taken out first.",
     .source = "Samek et al. 2017",
     .larger_is_better = true,
     .compute = area<RemovalOrder::most_relevant_first>},
    {.name = "lerf",
     .title = "area over the LeRF curve",
     .meaning = "How far the score falls, on average, while the least relevant regions are taken out first.",
     .source = "Samek et al. 2017",
     .larger_is_better = false,
     .compute = area<RemovalOrder::least_relevant_first>},
};

}  // namespace

std::span<const Measure> measures() { return kMeasures; }

const Measure& measure(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Measure& each : measures()) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  fail_usage("there is no measure of attributions '{}'{}; the measures are {}", name,
             did_you_mean(name, names), fmt::join(names, ", "));
}

}  // namespace whence::attribution
