// The keys.
#include "kinds/causes/causes.h"

namespace whence::kinds {

config::Section causes_section() {
  using namespace config;
  using O = CausesOptions;
  using gce::DirectionOptions, gce::LatentMapOptions;
  return {"causes",
          "Factors of a frozen generator that move the classifier "
          "([modules.md](modules.md#causes-in-a-frozen-generator)).",
          {{"causal", Integer{at(&O::causal), 0, 1024}, "factors",
            "How many causal factors are sought; 0: none."},
           {"gradients", Integer{at(&O::directions, &DirectionOptions::samples), 2, 1'000'000}, "samples",
            "Draws of the latents at which the classifier's gradients are taken; they give the straight "
            "directions."},
           {"steps", Integer{at(&O::directions, &DirectionOptions::steps), 0, 1'000'000}, "",
            "Steps of refinement, which raise the flow of straight directions; 0: none."},
           {"map_steps", Integer{at(&O::map, &LatentMapOptions::steps), 0, 10'000'000}, "",
            "Steps of training of the map that bends the directions and keeps the prior N(0, I); 0: they "
            "stay straight."},
           {"map_draws", Integer{at(&O::map, &LatentMapOptions::draws), 2, 100'000'000}, "samples",
            "Draws of the latents, with the classifier's answers, that the map learns from."},
           {"map_factors", Integer{at(&O::map, &LatentMapOptions::moved), 2, 100'000}, "factors",
            "Factors that take part in the map: the causal ones, and those of the others that move the "
            "classifier most."},
           {"couplings", Integer{at(&O::map, &LatentMapOptions::couplings), 1, 100}, "",
            "Couplings that the map is a chain of."},
           {"flow_samples", Pair{at(&O::outer), at(&O::inner), 2, 100'000}, "draws",
            "Draws of the factors, and of the rest for each, that the information flow is measured with."}}};
}

}  // namespace whence::kinds
