// How modular a generator is: whether a module's hybrids change the part of the image that the module stands for, beside controls.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <array>
#include <functional>
#include <string_view>
#include <vector>

#include "whence/core/progress.h"
#include "whence/explain/modularity/modules.h"

namespace whence::modularity {

struct Measured {
  double mean = 0, se = 0;  ///< standard error over pairs of originals
};

/// What is done to the first original: the module's channels, or as many channels drawn at random, come from the second; or the
/// pixels of the second come in by the module's template (soft) or inside its region alone (hard).
enum class Swap { module, random_channels, soft_blend, hard_blend };
constexpr std::array kSwaps = {Swap::module, Swap::random_channels, Swap::soft_blend, Swap::hard_blend};
std::string_view name_of(Swap swap);

/// Images h that were made of originals a and b, all (n, C, H, W), and a region (H, W) of the image.
struct SwapMeasures {
  /// The share of the squared change (h - a)^2 that lies inside the region.
  Measured inside;
  /// How far h went from a to b, inside minus outside: sum (h - a)(b - a) / sum (b - a)^2. 1: all of b inside, all of a outside.
  Measured selectivity;
  double change = 0;  ///< mean of (h - a)^2 over pixels, colours and pairs
};

/// Sums of a set of such images, added batch by batch.
class SwapSums {
 public:
  explicit SwapSums(at::Tensor region) : region_(std::move(region)) {}
  void add(const at::Tensor& first, const at::Tensor& second, const at::Tensor& images);
  SwapMeasures measures() const;

 private:
  at::Tensor region_;
  std::vector<at::Tensor> terms_;  // (n, 7)
};

struct MeasureOptions {
  std::int64_t random_sets = 5;           ///< for each module
  std::int64_t memory_bytes = 256 << 20;  ///< budget of a batch of hybrids
};

/// Calls `visit` with the images of every swap of every module, in batches of pairs.
struct SwappedImages {
  std::int64_t module = 0;
  Swap swap = Swap::module;
  bool is_first_of_batch = true;     ///< these originals were not shown before
  at::Tensor first, second, images;  ///< (n, C, H, W)
};
void for_swaps(const Cut& cut, const Modules& modules, const Pairs& pairs, const MeasureOptions& options,
               at::Generator& generator, const std::function<void(const SwappedImages&)>& visit,
               const ProgressCallback& progress = {});

struct Modularity {
  std::vector<std::array<SwapMeasures, kSwaps.size()>> of_modules;  ///< by module, by swap
  /// Share of a hybrid's change inside the own region minus that of random channels; mean over modules.
  Measured margin;
  std::array<Measured, kSwaps.size()> selectivity;  ///< mean over modules
  /// Of the influence maps of two channels, mean over all pairs of channels: 1 where all channels act in one place.
  double map_cosine = 0;
  /// Share of a channel's binary map that another channel's binary map covers, too; mean over pairs of channels.
  double overlap = 0;
};
/// On pairs that the modules were not found with. Modules without channels do not count.
Modularity measure_modularity(const Cut& cut, const Modules& modules, const Pairs& pairs,
                              const MeasureOptions& options, at::Generator& generator,
                              const std::function<void(const SwappedImages&)>& visit = {},
                              const ProgressCallback& progress = {});

/// The control that tells what the architecture alone gives: the network with new weights (He et al. 2015, which keep
/// the size of a signal).
nn::Network untrained(const nn::Network& network, at::Generator& generator);

}  // namespace whence::modularity
