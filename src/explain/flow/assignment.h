// The assignment problem.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace whence::flow {

/// For each row of `gains` (rows, columns), finite, the column it is given, or -1 where rows outnumber columns; no
/// column is given twice and the sum of the gains is the largest possible (Kuhn 1955; shortest augmenting paths).
std::vector<std::int64_t> best_assignment(const at::Tensor& gains);

}  // namespace whence::flow
