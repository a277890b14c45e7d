// Modules: groups of channels that act on the same part of the image (Besserve et al. 2020, section 3.3),
// and how far two groupings agree.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "whence/explain/modularity/cut.h"
#include "whence/explain/modularity/factorization.h"
#include "whence/explain/modularity/influence.h"

namespace whence::modularity {

struct GroupingOptions {
  std::int64_t window = 3;  ///< side of the square over which each map is averaged, in pixels; odd
  double percentile = 75;   ///< of each map, above which its pixels count
  FactorizationOptions factorization = {};
};

/// Maps (K, H, W) or, per colour, (K, C, H, W) -> as many of 0 and 1: averaged over a window, whose part outside the image does not
/// count, then 1 where a map exceeds its own percentile, of all its colours. A map without any difference is 0 everywhere.
at::Tensor binary_maps(const at::Tensor& maps, const GroupingOptions& options);

/// K channels in r modules. Maps that were taken per colour are (C, H, W) instead of (H, W) everywhere.
struct Modules {
  at::Tensor maps;       ///< (K, H, W), what was grouped
  at::Tensor binary;     ///< (K, H, W)
  at::Tensor weights;    ///< W, (K, r)
  at::Tensor templates;  ///< H, (r, H, W), each of length 1
  std::vector<std::int64_t>
      labels;  ///< of each channel, the module with its largest weight; -1: the channel changes nothing

  std::int64_t rank() const { return templates.size(0); }
  Channels channels_of(std::int64_t module) const;
  /// (r, H, W) bool: the quarter of the image, by `percentile`, where a template is largest.
  at::Tensor regions(double percentile = 75) const;
};

/// Factorizes the binary maps. Modules are ordered by their number of channels, the largest first. Errors: a rank that is not from 1
/// to K (usage); maps that are all 0.
Modules find_modules(const at::Tensor& maps, std::int64_t rank, const GroupingOptions& options,
                     at::Generator& generator);

/// How far two groupings of the same channels agree.
struct Agreement {
  double cosine = 0;  ///< of templates, matched for the largest sum; mean
  double rand =
      0;  ///< adjusted Rand index of the labels (Hubert and Arabie 1985): 1 the same, 0 what chance gives
};
Agreement agreement(const Modules& one, const Modules& other);
double adjusted_rand_index(const std::vector<std::int64_t>& one, const std::vector<std::int64_t>& other);

struct RankStability {
  std::int64_t rank = 0;
  Agreement halves;  ///< between maps from two halves of the pairs; means over divisions
};
/// For each rank from 2 to `largest`: the groups of pairs are divided into halves `divisions` times at random.
std::vector<RankStability> rank_stability(const InfluenceMaps& maps, std::int64_t largest,
                                          std::int64_t divisions, const GroupingOptions& options,
                                          at::Generator& generator);
/// The largest rank whose halves agree to `cosine` and `rand`; where none does, the one with the largest sum of both.
std::int64_t stable_rank(const std::vector<RankStability>& ranks, double cosine = 0.97, double rand = 0.8);

}  // namespace whence::modularity
