#include "kinds/kinds.h"

#include "kinds/attribution/attribution.h"
#include "kinds/counterfactual/counterfactual.h"
#include "kinds/gce/gce.h"
#include "kinds/morphing/morphing.h"

namespace whence::kinds {

const experiment::Kinds& kinds() {
  static const experiment::Kinds table = {gce_kind(), counterfactual_kind(), attribution_kind(),
                                          morphing_kind()};
  return table;
}

}  // namespace whence::kinds
