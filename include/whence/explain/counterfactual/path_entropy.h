// Whether the gradient is large where the classes of a path are ambiguous (Parafita 2018, section 4.4).
//
// A path of n images leads in codes from a training image of class a to the training image of another class b whose code has the largest
// cosine with its own. At each step: H, the entropy in bits of softmax(f_a, f_b), and |dp_a/dx|, the gradient of the probability of a
// among all classes. Steps are counted from 0.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "whence/explain/counterfactual/image_model.h"

namespace whence::counterfactual {

/// Half the width of a window, in deviations.
inline constexpr double kWindowDeviations = 1.96;

/// Where on its path the entropy lies. float64 (N); NaN where it is 0 all along.
struct EntropyWindow {
  at::Tensor mean;  ///< the mean entropy step: sum of i H_i / sum of H_i
  at::Tensor
      deviation;  ///< sqrt(sum of H_i (i - mean)^2 / sum of H_i); the window is mean +- 1.96 deviations
};
/// entropy: (N, n), not below 0.
EntropyWindow entropy_window(const at::Tensor& entropy);

/// Pearson's correlation of all values of two tensors of one shape, in float64; NaN where one of them is constant.
double pearson(const at::Tensor& first, const at::Tensor& second);

struct EntropyOptions {
  std::int64_t pairs = 1000;
  std::int64_t steps = 100;  ///< images of a path
  PathKind kind = PathKind::radial;
};

/// One row a path. A path counts in a correlation within a path where neither quantity is constant on it.
struct PathEntropies {
  at::Tensor from, to;   ///< int64 (N)
  at::Tensor entropy;    ///< float32 (N, n), bits
  at::Tensor gradient;   ///< float32 (N, n): |dp_from/dx|, mean over the image's values
  EntropyWindow window;  ///< of each path
  at::Tensor within;     ///< float64 (N): Pearson's r of entropy and gradient along each path, or NaN
  double of_steps = 0;   ///< r of entropy and gradient, all steps of all paths
  double of_values = 0;  ///< r of a step's entropy and |dp_from/dx| of each value of its image, all paths
  double of_a_path = 0;  ///< the median of `within`
};

/// Over `pairs` images of `model.known`, drawn by `seed` among those that the classifier reads right after reconstruction, each with another
/// class, drawn too. Fewer where there are fewer, or where no image of that class is read right; tensors with no row and NaN where there
/// is none. Errors (usage): less than one pair or two steps. Errors: NaN; an interruption.
PathEntropies path_entropies(const ImageModel& model, const models::Classifier& classifier,
                             const EntropyOptions& options, std::uint64_t seed);

}  // namespace whence::counterfactual
