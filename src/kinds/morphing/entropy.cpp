#include "kinds/morphing/entropy.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace whence::kinds {
namespace {

using at::Tensor;
using counterfactual::kWindowDeviations;

std::vector<double> numbers_in(const Tensor& values) {
  const Tensor all = values.to(at::kCPU, at::kDouble).contiguous();
  return {all.data_ptr<double>(), all.data_ptr<double>() + all.numel()};
}

double mean_over(const Tensor& values) {
  const Tensor finite = values.masked_select(values.isfinite()).to(at::kDouble);
  return finite.mean().item<double>();
}

/// Share of true ones among the windows that are there.
double share_in(const Tensor& mask, const Tensor& there) {
  return mask.masked_select(there).to(at::kDouble).mean().item<double>();
}

/// Among the paths whose window has both ends on them, else among all, the one whose r is nearest to the median.
std::int64_t example_of(const counterfactual::PathEntropies& entropies, const Tensor& low,
                        const Tensor& high) {
  const double last = static_cast<double>(entropies.entropy.size(1) - 1);
  const Tensor inside = low.gt(0).logical_and(high.lt(last)).logical_and(entropies.within.isfinite());
  const Tensor away = (entropies.within - entropies.of_a_path).abs().nan_to_num(2.0);
  return (away + 2 * inside.logical_not().to(away.scalar_type())).argmin().item<std::int64_t>();
}

bool is_finite(const nlohmann::json& number) {
  return number.is_number() && std::isfinite(number.get<double>());
}

/// JSON has no NaN.
std::string number_or_none(const nlohmann::json& number, const char* form) {
  return is_finite(number) ? fmt::format(fmt::runtime(form), number.get<double>()) : "not defined";
}

report::Series line(const std::string& name, const std::vector<double>& values) {
  report::Series series{name, {}, values};
  for (std::size_t i = 0; i < values.size(); ++i) series.x.push_back(static_cast<double>(i));
  return series;
}

}  // namespace

nlohmann::json to_json(const counterfactual::PathEntropies& entropies,
                       const std::vector<std::string>& class_names) {
  const std::int64_t steps = entropies.entropy.size(1);
  const Tensor mean = entropies.window.mean, width = kWindowDeviations * entropies.window.deviation;
  const Tensor low = mean - width, high = mean + width, there = mean.isfinite();
  const Tensor step = at::arange(steps, mean.options()).unsqueeze(0);
  const Tensor inside = step.ge(low.unsqueeze(1)).logical_and(step.le(high.unsqueeze(1)));
  const std::int64_t example = example_of(entropies, low, high);
  const auto name = [&](const Tensor& label) {
    return class_names[static_cast<std::size_t>(label[example].item<std::int64_t>())];
  };
  return {
      {"pairs", entropies.to.size(0)},
      {"steps", steps},
      {"r", {{"values", entropies.of_values}, {"steps", entropies.of_steps}, {"path", entropies.of_a_path}}},
      {"mean_step", mean_over(mean)},
      {"window", 2 * mean_over(width)},
      {"in_window", mean_over(entropies.gradient.masked_select(inside))},
      {"outside", mean_over(entropies.gradient.masked_select(inside.logical_not()))},
      {"ambiguous_start", share_in(low.le(0), there)},
      {"ambiguous_end", share_in(high.ge(static_cast<double>(steps - 1)), there)},
      {"mean",
       {{"entropy", numbers_in(entropies.entropy.mean(0))},
        {"gradient", numbers_in(entropies.gradient.mean(0))}}},
      {"example",
       {{"from", name(entropies.from)},
        {"to", name(entropies.to)},
        {"entropy", numbers_in(entropies.entropy[example])},
        {"gradient", numbers_in(entropies.gradient[example])},
        {"mean_step", mean[example].item<double>()},
        {"deviation", entropies.window.deviation[example].item<double>()},
        {"r", entropies.within[example].item<double>()}}}};
}

nlohmann::json path_entropy(const MorphingModels& models, std::int64_t pairs) {
  counterfactual::EntropyOptions options;
  options.pairs = pairs;
  const counterfactual::PathEntropies found =
      counterfactual::path_entropies(models.model, models.classifier, options, models.seed);
  return found.to.size(0) == 0 ? nlohmann::json() : to_json(found, models.class_names);
}

std::string entropy_sentence(const nlohmann::json& entropy) {
  const auto r = [&](const char* name) { return number_or_none(entropy.at("r").at(name), "{:.3f}"); };
  return fmt::format(
      "Pearson's r of entropy and gradient on {} paths between training images: {} over all values, {} over "
      "all steps, {} within a path (median)",
      entropy.at("pairs").get<std::int64_t>(), r("values"), r("steps"), r("path"));
}

report::LineChart entropy_chart(const nlohmann::json& entropy) {
  const nlohmann::json &example = entropy.at("example"), &mean = entropy.at("mean");
  report::LineChart chart;
  chart.title = "Entropy and gradient along paths between classes";
  chart.horizontal_axis = "step of the path, from a training image to the nearest one of another class";
  for (const auto& [name, axis] :
       {std::pair("entropy", "entropy (bits)"), std::pair("gradient", "mean |gradient|")}) {
    const auto own = example.at(name).get<std::vector<double>>();
    report::Panel panel{axis, {}};
    panel.series = {line(fmt::format("{} to {}", example.at("from").get<std::string>(),
                                     example.at("to").get<std::string>()),
                         own),
                    line(fmt::format("mean of {} paths", entropy.at("pairs").get<std::int64_t>()),
                         mean.at(name).get<std::vector<double>>())};
    if (is_finite(example.at("mean_step"))) {
      const double step = example.at("mean_step").get<double>(),
                   width = kWindowDeviations * example.at("deviation").get<double>(),
                   top = *std::max_element(own.begin(), own.end());
      panel.series.push_back({"mean entropy step", {step, step}, {0, top}});
      panel.series.push_back({"its window of 1.96 deviations",
                              {step - width, step - width, step + width, step + width},
                              {0, top, top, 0}});
    }
    chart.panels.push_back(std::move(panel));
  }
  return chart;
}

report::Section entropy_section_of(const nlohmann::json& entropy) {
  report::Section section{"path-entropy", "Where a path is ambiguous", {}, {}, {}};
  section.paragraphs.push_back(fmt::format(
      "A path leads in {} steps from the code of a training image to that of the nearest training image of "
      "another class. Where the classifier hesitates between the two classes, their **entropy** is large, "
      "and so should be the **gradient** of the first class's probability (Parafita 2018, section 4.4).",
      entropy.at("steps").get<std::int64_t>()));
  section.paragraphs.push_back(fmt::format(
      "{}. The mean size of the gradient is {} in the windows of 1.96 deviations around the mean entropy "
      "step, and {} outside.",
      entropy_sentence(entropy), number_or_none(entropy.at("in_window"), "{:.2g}"),
      number_or_none(entropy.at("outside"), "{:.2g}")));
  return section;
}

}  // namespace whence::kinds
