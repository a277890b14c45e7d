#include "whence/explain/attribution/measures.h"

#include "explain/attribution/judgements.h"
#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::attribution {
namespace {

template <RemovalOrder order>
at::Tensor area(const Judged& judged, const PerturbationOptions& options) {
  PerturbationOptions own = options;
  own.order = order;
  return perturbation_curve(judged.classifier, judged.x, judged.target, judged.values, judged.score, own)
      .area;
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
    {.name = "departure",
     .title = "departure from the data",
     .meaning =
         "The squared error of the generator's reconstruction on the way of the MoRF curve, by that of "
         "the images as they are: far above 1, the curve says what the classifier does on images that "
         "are none.",
     .source = "Parafita 2018, as a concern",
     .larger_is_better = false,
     .compute = departure},
    {.name = "sensitivity_n",
     .title = "Sensitivity-n",
     .meaning = "The correlation, over random sets of regions, between the relevance of a set and the fall "
                "of the score without it; the "
                "mean over sets of 5, 10, 20, 40 and 80 % of the regions.",
     .source = "Ancona et al. 2018",
     .larger_is_better = true,
     .compute = sensitivity_n},
    {.name = "infidelity",
     .title = "infidelity",
     .meaning = "The share of the score's squared falls, over the same sets, that no multiple of the "
                "relevances explains.",
     .source = "Yeh et al. 2019, with its optimal scale",
     .larger_is_better = false,
     .compute = infidelity},
    {.name = "max_sensitivity",
     .title = "max-sensitivity",
     .meaning = "The largest relative change of the map among noisy copies of the image.",
     .source = "Yeh et al. 2019",
     .larger_is_better = false,
     .compute = max_sensitivity},
    {.name = "randomization",
     .title = "likeness under random weights",
     .meaning = "Spearman's correlation between the map and that of the same classifier with new random "
                "weights; near 1, the map does not "
                "depend on what the classifier has learned.",
     .source = "Adebayo et al. 2018, all layers at once",
     .larger_is_better = false,
     .compute = randomization},
    {.name = "sparseness",
     .title = "sparseness",
     .meaning = "The Gini index of the sizes of the map's values: 0 when all pixels count alike, near 1 when "
                "few pixels carry the map.",
     .source = "Chalasani et al. 2020",
     .larger_is_better = true,
     .compute = sparseness},
};

}  // namespace

std::string_view name_of(Replacement replacement) {
  constexpr std::string_view names[] = {"constant", "mean", "blur", "imputation", "generator"};
  return names[static_cast<std::size_t>(replacement)];
}

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
