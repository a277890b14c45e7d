// Operations that choose some of a classifier's columns: x[:, [3, 8]], x[:, 3:5]. They become a smaller linear layer.
#pragma once

#include "interchange/script_operators.h"

namespace whence::nn {

/// All of a dimension, or columns that follow each other.
LayerId slice(OperatorCall& call);
/// Columns by their numbers.
LayerId index(OperatorCall& call);
LayerId index_select(OperatorCall& call);

}  // namespace whence::nn
