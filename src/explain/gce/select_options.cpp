#include <algorithm>
#include <cmath>
#include <functional>

#include "whence/core/error.h"
#include "whence/explain/gce/select.h"

namespace whence::gce {

SelectionOptions selection_options(SelectionRule rule) {
  SelectionOptions options;
  options.rule = rule;
  if (rule == SelectionRule::standard_error) {
    options.patience = 2;
    options.distance = 0.06;
    options.latents = {2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32};
    return options;
  }
  options.errors = 0;
  for (std::int64_t latents = 1; latents <= 32; ++latents) options.latents.push_back(latents);
  if (rule == SelectionRule::relative) options.most_lambda = 1;
  if (rule == SelectionRule::reversal) {
    options.plateau = 0;
    options.first_lambda = 1e-3;
  }
  return options;
}

void check(const SelectionOptions& options) {
  if (options.latents.empty() || options.latents.front() < 1 ||
      std::adjacent_find(options.latents.begin(), options.latents.end(), std::greater_equal<>()) !=
          options.latents.end())
    fail_usage("the numbers of latents to try must rise from 1 or more, such as 2,4,6,8");
  const auto positive = [](std::string_view name, double value) {
    if (!(value > 0) || !std::isfinite(value)) fail_usage("{} is {}, but must be above 0", name, value);
  };
  const auto share = [](std::string_view name, double value) {
    if (!(value >= 0 && value <= 1)) fail_usage("{} is {}, but must be from 0 to 1", name, value);
  };
  share("the plateau", options.plateau);
  share("the distance", options.distance);
  positive("the first lambda", options.first_lambda);
  positive("the step of lambda", options.lambda_step);
  if (!(options.lambda_factor > 1.01))
    fail_usage("the factor of lambda is {}, but must be above 1.01", options.lambda_factor);
  positive("the least lambda", options.least_lambda);
  if (!(options.least_lambda <= options.most_lambda))
    fail_usage("the least lambda is {:g}, above the largest, {:g}", options.least_lambda,
               options.most_lambda);
  const bool steps = options.rule == SelectionRule::relative;
  const double first = steps ? options.lambda_step : options.first_lambda;
  if (first > options.most_lambda || (!steps && first < options.least_lambda))
    fail_usage("the first lambda is {:g}, outside of {:g} to {:g}", first, options.least_lambda,
               options.most_lambda);
  positive("--hopeless", options.hopeless);
  if (options.patience < 1) fail_usage("the patience is {}, but must be 1 or more", options.patience);
  if (!(options.errors >= 0))
    fail_usage("the number of standard errors is {}, but must be 0 or more", options.errors);
}

std::string describe(const Setting& setting) {
  if (setting.causal == 0)
    return fmt::format("{} latents, no causal term{}", setting.noncausal,
                       setting.reference ? ", trained on as the reference" : "");
  return fmt::format("{}K = {}, L = {}, lambda = {:g}", setting.pilot ? "pilot of " : "", setting.causal,
                     setting.noncausal, setting.lambda);
}

std::string_view name_of(SelectionRule rule) {
  switch (rule) {
    case SelectionRule::relative:
      return "relative";
    case SelectionRule::reversal:
      return "reversal";
    case SelectionRule::standard_error:
      return "standard-error";
  }
  return "";
}

}  // namespace whence::gce
