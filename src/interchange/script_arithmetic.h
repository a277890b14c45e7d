// Sums and products of a TorchScript graph: of two layers, or of a layer and a constant, as modules have them that
// normalise their images themselves.
#pragma once

#include "interchange/script_operators.h"

namespace whence::nn {

LayerId add(OperatorCall& call);
LayerId subtract(OperatorCall& call);
/// other - self
LayerId subtract_from(OperatorCall& call);
LayerId negate(OperatorCall& call);
LayerId multiply(OperatorCall& call);
LayerId divide(OperatorCall& call);

}  // namespace whence::nn
