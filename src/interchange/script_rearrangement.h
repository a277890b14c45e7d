// Reshaping, padding, enlarging and joining: what puts values elsewhere.
#pragma once

#include "interchange/script_operators.h"

namespace whence::nn {

LayerId view(OperatorCall& call);
LayerId reshape(OperatorCall& call);
LayerId flatten(OperatorCall& call);
LayerId unflatten(OperatorCall& call);
LayerId unsqueeze(OperatorCall& call);
LayerId squeeze(OperatorCall& call);
LayerId permute(OperatorCall& call);
LayerId transpose(OperatorCall& call);
LayerId zero_pad(OperatorCall& call);
LayerId pad(OperatorCall& call);
LayerId upsample_nearest(OperatorCall& call);
LayerId concatenate(OperatorCall& call);

}  // namespace whence::nn
