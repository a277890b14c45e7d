#include "kinds/counterfactual/search_keys.h"

#include <limits>

#include "whence/explain/counterfactual/counterfactual.h"

namespace whence::kinds {

std::vector<config::Key> counterfactual_search_keys() {
  using namespace config;
  using Options = counterfactual::CounterfactualOptions;
  const double inf = std::numeric_limits<double>::infinity();
  return {
      {"radius", Number{at(&Options::radius), 0, inf, true}, "", "Largest |alpha| of a counterfactual"},
      {"probability", Number{at(&Options::probability), 0, 0.999999}, "",
       "Probability that the new class must reach"},
      {"step", Number{at(&Options::step), 0, inf}, "", "Distance between the search's shells; 0: automatic"},
      {"rays", Integer{at(&Options::rays), 0, 100'000}, "",
       "Rays of the search, for two or more causal factors; 0: automatic"}};
}

}  // namespace whence::kinds
