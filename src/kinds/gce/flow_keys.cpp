#include "kinds/gce/flow_keys.h"

#include "whence/explain/flow/information_flow.h"

namespace whence::kinds {

std::vector<config::Key> flow_keys() {
  using namespace config;
  using flow::FlowOptions, flow::Estimator;
  constexpr auto estimator = &FlowOptions::estimator;
  return {
      {"samples", Pair{at(&FlowOptions::outer), at(&FlowOptions::inner), 2, 1'000'000}, "",
       "Draws of the factors, and of the rest for each"},
      {"sampling", choice(at(estimator, &Estimator::sampling), names_to(flow::Sampling::crossed)), "",
       "Own draws of the rest for each draw, or shared ones"},
      {"outer_draws", choice(at(estimator, &Estimator::outer_draws), names_to(flow::Placement::stratified)),
       "", "How the draws of the factors are spread"},
      {"correction", choice(at(estimator, &Estimator::correction), names_to(flow::Correction::jackknife)), "",
       "Bias correction"},
      {"factor_draws", choice(at(&FlowOptions::factors), names_to(flow::FactorDraws::shared)), "",
       "Own draws for each factor, or one shared set, which costs as much as one factor"}};
}

}  // namespace whence::kinds
