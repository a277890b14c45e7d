#include "kinds/kinds.h"

#include "kinds/attribution/attribution.h"
#include "kinds/counterfactual/counterfactual.h"
#include "kinds/gce/gce.h"
#include "kinds/text/text.h"

namespace whence::kinds {

const experiment::Kinds& kinds() {
  static const experiment::Kinds table = {gce_kind(), counterfactual_kind(), attribution_kind(), text_kind()};
  return table;
}

}  // namespace whence::kinds
