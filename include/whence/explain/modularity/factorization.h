// Non-negative matrix factorization: S (n, p) ~ W (n, r) H (r, p), all entries at least 0, with the least squared error.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace whence::modularity {

struct FactorizationOptions {
  std::int64_t iterations = 500;
  double tolerance = 1e-7;    ///< ends when an iteration lowers the error by less than this share of ||S||^2
  std::int64_t restarts = 0;  ///< random starts that are tried besides; the least error is kept
};

struct Factorization {
  at::Tensor weights;          ///< W, (n, r) float64
  at::Tensor patterns;         ///< H, (r, p) float64, rows of length 1 (or 0)
  std::vector<double> errors;  ///< ||S - W H||^2 at the start and after each iteration; never rises
};

/// The start: non-negative parts of the singular vectors of S (Boutsidis and Gallopoulos 2008, "SVD based initialization", NNDSVD).
Factorization singular_start(const at::Tensor& matrix, std::int64_t rank);

/// Hierarchical alternating least squares (Cichocki and Phan 2009, "Fast local algorithms for large scale nonnegative matrix and
/// tensor factorizations"): each column of W and each row of H in turn gets its best value, the others held. Error
/// (usage): a rank that is not from 1 to n.
Factorization factorize(const at::Tensor& matrix, std::int64_t rank, const FactorizationOptions& options,
                        at::Generator& generator);

}  // namespace whence::modularity
