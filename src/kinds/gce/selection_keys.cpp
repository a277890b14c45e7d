#include "kinds/gce/selection_keys.h"

#include <limits>

#include "kinds/gce/selection.h"

namespace whence::kinds {

std::vector<config::Key> selection_keys() {
  using gce::SelectionOptions;
  using namespace config;
  const double inf = std::numeric_limits<double>::infinity();
  Choice rule = choice(at(&SelectionOptions::rule), names_to(gce::SelectionRule::standard_error));
  rule.set = [](Values& values, std::size_t index) {
    values.get<SelectionOptions>() = gce::selection_options(static_cast<gce::SelectionRule>(index));
  };
  return {
      {"rule", rule, "",
       "How plateaus and lambda are judged: as in two published reproductions, or our own way; the other "
       "options have the rule's defaults, and standard-error's are shown"},
      {"latents", Integers{at(&SelectionOptions::latents), 1, 4096}, "",
       "The numbers of latents K + L to try, rising"},
      {"plateau", Number{at(&SelectionOptions::plateau), 0, 1}, "share",
       "Relative improvement below which a value is on its plateau; reversal: 0"},
      {"errors", Number{at(&SelectionOptions::errors), 0, 100}, "",
       "Standard errors that an improvement must exceed; relative and reversal: 0"},
      {"distance", Number{at(&SelectionOptions::distance), 0, 1}, "share",
       "How far SSE + KL may be from the autoencoder's, relatively; relative and reversal: 0.05"},
      {"first_lambda", Number{at(&SelectionOptions::first_lambda), 0, inf, true}, "",
       "The first lambda; reversal: 0.001"},
      {"lambda_step", Number{at(&SelectionOptions::lambda_step), 0, inf, true}, "",
       "Added to lambda, by relative alone"},
      {"lambda_factor", Number{at(&SelectionOptions::lambda_factor), 1.02, 1e6}, "",
       "Lambda is multiplied by it, in the other rules"},
      {"least_lambda", Number{at(&SelectionOptions::least_lambda), 0, inf, true}, "",
       "No smaller one is tried, by standard-error alone"},
      {"most_lambda", Number{at(&SelectionOptions::most_lambda), 0, inf, true}, "",
       "No larger one is tried; relative: 1"},
      {"patience", Integer{at(&SelectionOptions::patience), 1, 100}, "",
       "Numbers of latents in a row without an improvement that make a plateau; relative and reversal: 1"},
      {"pilot", Number{at(&SelectionRequest::pilot), 0.01, 0.99}, "share",
       "Share of the steps after which hopeless settings are given up"},
      {"hopeless", Number{at(&SelectionOptions::hopeless), 0, inf, true}, "",
       "How many distances away a pilot is hopeless"},
      {"steps", Integer{at(&SelectionRequest::steps), 4, 1'000'000'000}, "", "Steps of each training"},
      {"samples", Pair{at(&SelectionRequest::outer), at(&SelectionRequest::inner), 2, 1'000'000}, "",
       "Draws of alpha, and of beta for each, that measure C"}};
}

}  // namespace whence::kinds
