// Operations that choose channels or columns: x[:, [3, 8]], x[:, 3:5], x.chunk(2, 1). Columns of a linear layer become a smaller one.
#pragma once

#include "interchange/script_operators.h"

namespace whence::nn {

/// All of a dimension, or columns that follow each other.
LayerId slice(OperatorCall& call);
LayerId narrow(OperatorCall& call);
/// One channel, without its dimension.
LayerId select(OperatorCall& call);
/// What aten::chunk, split and split_with_sizes return; nothing where the operation is none of them.
std::vector<LayerId> parts(OperatorCall& call, std::string_view name);
/// Columns by their numbers.
LayerId index(OperatorCall& call);
LayerId index_select(OperatorCall& call);

}  // namespace whence::nn
