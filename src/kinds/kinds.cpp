#include "kinds/kinds.h"

#include "kinds/attribution/attribution.h"
#include "kinds/causes/causes.h"
#include "kinds/counterfactual/counterfactual.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "kinds/independent/independent.h"
#include "kinds/modules/modules.h"
#include "kinds/morphing/morphing.h"
#include "kinds/text/text.h"
#include "kinds/translation/translation.h"
#include "kinds/visualization/visualization.h"

namespace whence::kinds {

const experiment::Kinds& kinds() {
  static const experiment::Kinds table = {
      independent_kind(), generator_kind(),   gce_kind(),           counterfactual_kind(),
      text_kind(),        translation_kind(), morphing_kind(),      attribution_kind(),
      modules_kind(),     causes_kind(),      visualization_kind(),
  };
  return table;
}

}  // namespace whence::kinds
