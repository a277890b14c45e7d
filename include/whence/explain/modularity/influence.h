// Influence maps: where in the image a channel acts (Besserve et al. 2020, section 3.2).
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "whence/core/progress.h"
#include "whence/explain/modularity/cut.h"

namespace whence::modularity {

/// Where the codes of originals come from: (count, latents), each row for one original.
using Originals = std::function<at::Tensor(std::int64_t count, at::Generator& generator)>;
/// N(0, I).
Originals from_prior(std::int64_t latents);
/// Rows of `codes` (n, latents), drawn at random without return as long as there are enough.
Originals from_codes(at::Tensor codes);

/// Codes of pairs of originals, (pairs, latents) each.
struct Pairs {
  at::Tensor first, second;
  std::int64_t size() const { return first.size(0); }
};
Pairs draw_pairs(const Originals& originals, std::int64_t pairs, at::Generator& generator);

/// What a map shows of the hybrids h_k, whose channel k comes from the second original and whose others from the first:
/// change: E[(h_k - g(z_1))^2], how much swapping the channel changes the image.
/// variance: Var[h_k], as published. Almost all of it comes from the differences between first originals, so that the maps of
/// all channels look the same; docs/modules.md shows it.
enum class Influence { change, variance };
std::string_view name_of(Influence influence);

struct InfluenceOptions {
  Influence influence = Influence::change;
  bool per_colour = false;  ///< else the mean over colours
  bool relative = false;    ///< divided by the mean map of all channels
  bool symmetric = false;   ///< averaged with its mirror image, left to right
  bool both_ways = false;   ///< each original of a pair once as the first: two hybrids of each channel
  /// The pairs are divided into this many groups, whose maps tell how certain the whole is.
  std::int64_t groups = 8;
  std::int64_t memory_bytes = 256 << 20;  ///< budget of a batch of hybrids
};

/// The maps of all channels of a layer, from several groups of pairs.
class InfluenceMaps {
 public:
  InfluenceMaps(const InfluenceOptions& options, std::vector<std::int64_t> pairs, at::Tensor sums,
                at::Tensor squares);

  std::int64_t groups() const { return sums_.size(0); }
  std::int64_t channels() const { return sums_.size(1); }
  std::int64_t pairs() const;
  /// (channels, H, W), per colour (channels, C, H, W), float64: from the pairs of these groups.
  at::Tensor of_groups(const std::vector<std::int64_t>& groups) const;
  /// From all pairs.
  at::Tensor all() const;
  /// The standard error of the maps over their size, both as norms over channels and pixels: from the differences between
  /// groups. It falls with 1 / sqrt(pairs).
  double relative_error() const;
  /// Other pairs of the same channels, in as many groups.
  void add(const InfluenceMaps& more);

 private:
  std::int64_t hybrids(std::int64_t pairs) const { return options_.both_ways ? 2 * pairs : pairs; }

  InfluenceOptions options_;
  std::vector<std::int64_t> pairs_;  // of each group
  at::Tensor sums_, squares_;  // (groups, channels, C or 1, H, W): of h_k (variance only), and of the squares
};

/// Hybrids of all channels by the swap of one at a time. The part before the cut runs once for each original. Progress: stage
/// "influence maps", one step a batch of pairs. Errors: fewer than two pairs in a group (usage); a generator whose images are
/// all the same; NaN.
InfluenceMaps influence_maps(const Cut& cut, const Pairs& pairs, const InfluenceOptions& options,
                             const ProgressCallback& progress = {});

/// From `pairs` pairs of originals, and from more of them until the relative error is at most `error` (0: any) or kMostPairs are reached.
/// Errors: those of influence_maps.
constexpr std::int64_t kMostPairs = 1 << 16;
InfluenceMaps influence_maps_within(double error, const Cut& cut, const Originals& originals,
                                    std::int64_t pairs, const InfluenceOptions& options,
                                    at::Generator& generator, const ProgressCallback& progress = {});

}  // namespace whence::modularity
