// The search of whence/explain/counterfactual/counterfactual.h for some images at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "whence/explain/counterfactual/counterfactual.h"

namespace whence::counterfactual {

class CounterfactualSearch {
 public:
  CounterfactualSearch(const models::Decoder& decoder, const models::Classifier& classifier,
                       std::int64_t causal, const CounterfactualOptions& options);

  struct Result {
    at::Tensor found;  ///< bool (n)
    at::Tensor move;   ///< float32 (n, K)
  };
  /// codes: (n, D); from: int64 (n), their classes, none of them the one asked for.
  Result run(const at::Tensor& codes, const at::Tensor& from) const;

 private:
  /// The images of one call, and where they may go.
  struct Problem {
    at::Tensor codes;    // (n, D)
    at::Tensor alpha;    // (n, K)
    at::Tensor limit;    // (n): largest |alpha|
    at::Tensor targets;  // bool (n, M)
  };
  /// Points distance * direction from the code of image `image`; one row a ray.
  struct Rays {
    at::Tensor image;      // int64 (r)
    at::Tensor direction;  // (r, K), unit length
  };

  Problem pose(const at::Tensor& codes, const at::Tensor& from) const;
  /// How clearly decoded points are of a class asked for: above 0 they are. Shapes (r, K) -> (r).
  at::Tensor margin(const Problem& problem, const at::Tensor& image, const at::Tensor& move) const;
  /// The gradient of the margin by the move, (r, K).
  at::Tensor gradient(const Problem& problem, const at::Tensor& image, const at::Tensor& move) const;
  /// The distance at which each ray leaves the ball of allowed alphas.
  at::Tensor way_out(const Problem& problem, const Rays& rays) const;
  /// The rays of some images, (images * rays per image).
  Rays rays_of(const Problem& problem, const at::Tensor& images) const;
  /// The boundary between `lower`, which is not of the class, and `upper`, which is and stays so.
  at::Tensor bisect(const Problem& problem, const Rays& rays, const at::Tensor& lower,
                    const at::Tensor& upper) const;
  /// Sets distance (n) and direction (n, K) of the images that a shell settles.
  void scan(const Problem& problem, at::Tensor& distance, at::Tensor& direction) const;
  void turn(const Problem& problem, at::Tensor& distance, at::Tensor& direction) const;

  at::Tensor rows_in_batches(
      std::int64_t rows, const std::function<at::Tensor(std::int64_t first, std::int64_t count)>& of) const;

  const models::Decoder& decoder_;
  const models::Classifier& classifier_;
  const CounterfactualOptions& options_;
  std::int64_t causal_;
  double step_;
  std::int64_t batch_;
  at::Tensor directions_;  // (rays, K), the same for every image
};

}  // namespace whence::counterfactual
