#include "whence/explain/modularity/modules.h"

#include <numeric>

#include "whence/core/error.h"

namespace whence::modularity {
namespace {

using at::Tensor;

/// Of each row, by linear interpolation between its sorted values.
Tensor percentile_of(const Tensor& rows, double percentile) {
  return at::quantile(rows, percentile / 100, 1, /*keepdim=*/true);
}

/// Labels by the largest weight, then renumbered so that the module with most channels comes first.
std::vector<std::int64_t> order_of(const std::vector<std::int64_t>& labels, std::int64_t rank) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(rank), 0), order(static_cast<std::size_t>(rank));
  for (const std::int64_t label : labels)
    if (label >= 0) ++sizes[static_cast<std::size_t>(label)];
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return sizes[static_cast<std::size_t>(a)] > sizes[static_cast<std::size_t>(b)];
  });
  return order;
}

std::vector<std::int64_t> labels_of(const Tensor& weights, const Tensor& acts) {
  const Tensor best = weights.argmax(1);
  std::vector<std::int64_t> labels;
  for (std::int64_t k = 0; k < weights.size(0); ++k)
    labels.push_back(
        acts[k].item<bool>() && weights[k].max().item<double>() > 0 ? best[k].item<std::int64_t>() : -1);
  return labels;
}

}  // namespace

Tensor binary_maps(const Tensor& maps, const GroupingOptions& options) {
  TORCH_CHECK(maps.dim() == 3 || maps.dim() == 4,
              "maps must be (channels, H, W) or (channels, C, H, W), got ", maps.sizes());
  if (options.window < 1 || options.window % 2 == 0)
    fail_usage("the window that maps are averaged over is {} pixels wide; give an odd number such as 3",
               options.window);
  const std::int64_t side = options.window;
  const Tensor smooth =
      at::avg_pool2d(maps.dim() == 3 ? maps.unsqueeze(1) : maps, {side, side}, {1, 1}, {side / 2, side / 2},
                     /*ceil_mode=*/false, /*count_include_pad=*/false)
          .flatten(1);
  return (smooth > percentile_of(smooth, options.percentile)).to(maps.scalar_type()).view_as(maps);
}

Channels Modules::channels_of(std::int64_t module) const {
  Channels channels;
  for (std::size_t k = 0; k < labels.size(); ++k)
    if (labels[k] == module) channels.push_back(static_cast<std::int64_t>(k));
  return channels;
}

Tensor Modules::regions(double percentile) const {
  const Tensor rows = templates.flatten(1);
  return (rows > percentile_of(rows, percentile)).view_as(templates);
}

Modules find_modules(const Tensor& maps, std::int64_t rank, const GroupingOptions& options,
                     at::Generator& generator) {
  Modules modules;
  modules.maps = maps;
  modules.binary = binary_maps(maps, options);
  const Tensor stack = modules.binary.flatten(1), acts = stack.sum(1) > 0;
  if (rank > maps.size(0))
    fail_usage("{} modules were asked of {} channels; give 1 to {}", rank, maps.size(0), maps.size(0));
  if (!acts.any().item<bool>())
    fail("no channel changes one part of the image more than another, so there are no modules to find");
  const Factorization found = factorize(stack, rank, options.factorization, generator);
  const std::vector<std::int64_t> order = order_of(labels_of(found.weights, acts), rank);
  const Tensor by_size = index_of(order, found.weights);
  modules.weights = found.weights.index_select(1, by_size);
  std::vector<std::int64_t> sizes = maps.sizes().vec();
  sizes.front() = rank;
  modules.templates = found.patterns.index_select(0, by_size).view(sizes);
  modules.labels = labels_of(modules.weights, acts);
  return modules;
}

std::vector<RankStability> rank_stability(const InfluenceMaps& maps, std::int64_t largest,
                                          std::int64_t divisions, const GroupingOptions& options,
                                          at::Generator& generator) {
  std::vector<RankStability> ranks;
  for (std::int64_t rank = 2; rank <= std::min(largest, maps.channels()); ++rank) ranks.push_back({rank, {}});
  for (std::int64_t i = 0; i < divisions; ++i) {
    const std::vector<std::int64_t> order = random_channels(maps.groups(), maps.groups(), generator);
    const auto middle = order.begin() + maps.groups() / 2;
    const Tensor one = maps.of_groups({order.begin(), middle}), other = maps.of_groups({middle, order.end()});
    for (RankStability& rank : ranks) {
      const Agreement own = agreement(find_modules(one, rank.rank, options, generator),
                                      find_modules(other, rank.rank, options, generator));
      rank.halves.cosine += own.cosine / static_cast<double>(divisions);
      rank.halves.rand += own.rand / static_cast<double>(divisions);
    }
  }
  return ranks;
}

std::int64_t stable_rank(const std::vector<RankStability>& ranks, double cosine, double rand) {
  TORCH_CHECK(!ranks.empty(), "no ranks to choose from");
  const RankStability* best = nullptr;
  for (const RankStability& rank : ranks)
    if (rank.halves.cosine >= cosine && rank.halves.rand >= rand) best = &rank;
  if (best != nullptr) return best->rank;
  return std::max_element(ranks.begin(), ranks.end(),
                          [](const RankStability& a, const RankStability& b) {
                            return a.halves.cosine + a.halves.rand < b.halves.cosine + b.halves.rand;
                          })
      ->rank;
}

}  // namespace whence::modularity
