#include "whence/explain/modularity/measures.h"

#include "explain/flow/classify.h"

namespace whence::modularity {
namespace {

using at::Tensor;

/// A ratio of sums over pairs, with the standard error of the delta method.
Measured ratio(const Tensor& above, const Tensor& below) {
  const double total = below.sum().item<double>();
  if (total <= 0) return {};
  const double value = above.sum().item<double>() / total;
  const auto pairs = static_cast<double>(above.size(0));
  if (pairs < 2) return {value, 0};
  return {value, (above - value * below).std().item<double>() * std::sqrt(pairs) / total};
}

Measured difference(const Measured& a, const Measured& b) {
  return {a.mean - b.mean, std::hypot(a.se, b.se)};
}

Measured mean_of(const std::vector<Measured>& values) {
  Measured mean;
  for (const Measured& value : values) {
    mean.mean += value.mean / static_cast<double>(values.size());
    mean.se += value.se * value.se;
  }
  mean.se = values.empty() ? 0 : std::sqrt(mean.se) / static_cast<double>(values.size());
  return mean;
}

std::size_t place_of(Swap swap) { return static_cast<std::size_t>(swap); }

/// Mean over pairs of different rows.
double mean_off_diagonal(const Tensor& square) {
  const std::int64_t rows = square.size(0);
  if (rows < 2) return 1;
  return (square.sum() - square.trace()).item<double>() / static_cast<double>(rows * (rows - 1));
}

double mean_cosine(const Tensor& maps) {
  const Tensor rows = maps.flatten(1), lengths = rows.norm(2, 1, true);
  const Tensor acting = (lengths.squeeze(1) > 0).nonzero().squeeze(1);
  const Tensor unit = (rows / lengths).index_select(0, acting);
  return mean_off_diagonal(unit.mm(unit.t()));
}

double mean_overlap(const Tensor& binary) {
  const Tensor rows = binary.flatten(1), sizes = rows.sum(1, true);
  const Tensor acting = (sizes.squeeze(1) > 0).nonzero().squeeze(1);
  const Tensor own = rows.index_select(0, acting);
  return mean_off_diagonal(own.mm(own.t()) / sizes.index_select(0, acting));
}

}  // namespace

std::string_view name_of(Swap swap) {
  constexpr std::array<std::string_view, kSwaps.size()> names = {"module", "random_channels", "soft_blend",
                                                                 "hard_blend"};
  return names[place_of(swap)];
}

void SwapSums::add(const Tensor& first, const Tensor& second, const Tensor& images) {
  const Tensor a = first.to(at::kDouble), way = second.to(at::kDouble) - a, gone = images.to(at::kDouble) - a;
  const Tensor in = region_.to(at::kDouble).to(a.device()), out = 1 - in;
  const auto sum = [](const Tensor& values) { return values.flatten(1).sum(1); };
  const Tensor change = gone.square(), along = gone * way, all = way.square();
  terms_.push_back(at::stack({sum(change * in), sum(change), sum(along * in), sum(all * in), sum(along * out),
                              sum(all * out), change.flatten(1).mean(1)},
                             1)
                       .to(at::kCPU));
}

SwapMeasures SwapSums::measures() const {
  TORCH_CHECK(!terms_.empty(), "no images were added");
  const Tensor terms = at::cat(terms_);
  const auto term = [&](std::int64_t i) { return terms.select(1, i); };
  return {ratio(term(0), term(1)), difference(ratio(term(2), term(3)), ratio(term(4), term(5))),
          term(6).mean().item<double>()};
}

void for_swaps(const Cut& cut, const Modules& modules, const Pairs& pairs, const MeasureOptions& options,
               at::Generator& generator, const std::function<void(const SwappedImages&)>& visit,
               const ProgressCallback& progress) {
  const at::NoGradGuard no_grad;
  const Tensor regions = modules.regions();
  std::vector<std::vector<Channels>> sets;  // by module: its own, then random ones of equal size
  for (std::int64_t m = 0; m < modules.rank(); ++m) {
    std::vector<Channels> own = {modules.channels_of(m)};
    for (std::int64_t i = 0; i < options.random_sets; ++i)
      own.push_back(random_channels(cut.channels(), std::ssize(own.front()), generator));
    sets.push_back(std::move(own));
  }
  const std::int64_t batch = std::min<std::int64_t>(cut.samples_within(options.memory_bytes), 64);
  flow::for_batches(pairs.size(), batch, [&](std::int64_t first, std::int64_t count) {
    const Activations a = cut.before(pairs.first.narrow(0, first, count)),
                      b = cut.before(pairs.second.narrow(0, first, count));
    SwappedImages images;
    images.first = cut.behind(a);
    images.second = cut.behind(b);
    const auto show = [&](Swap swap, Tensor made) {
      images.swap = swap;
      images.images = std::move(made);
      visit(images);
      images.is_first_of_batch = false;
    };
    for (std::int64_t m = 0; m < modules.rank(); ++m) {
      images.module = m;
      const std::vector<Channels>& own = sets[static_cast<std::size_t>(m)];
      if (own.front().empty()) continue;
      for (std::size_t i = 0; i < own.size(); ++i) {
        Activations hybrid = a;
        hybrid.maps = swapped(a.maps, b.maps, own[i]);
        show(i == 0 ? Swap::module : Swap::random_channels, cut.behind(hybrid));
      }
      const Tensor pattern = modules.templates[m].to(images.first.options());
      show(Swap::soft_blend, at::lerp(images.first, images.second, pattern / pattern.max().clamp_min(1e-12)));
      show(Swap::hard_blend, at::where(regions[m].to(images.first.device()), images.second, images.first));
    }
    if (progress) progress({"hybrids", first + count, pairs.size(), {}, "pairs"});
  });
}

Modularity measure_modularity(const Cut& cut, const Modules& modules, const Pairs& pairs,
                              const MeasureOptions& options, at::Generator& generator,
                              const std::function<void(const SwappedImages&)>& visit,
                              const ProgressCallback& progress) {
  const Tensor regions = modules.regions();
  std::vector<std::vector<SwapSums>> sums;
  for (std::int64_t m = 0; m < modules.rank(); ++m) sums.emplace_back(kSwaps.size(), SwapSums(regions[m]));
  for_swaps(
      cut, modules, pairs, options, generator,
      [&](const SwappedImages& images) {
        sums[static_cast<std::size_t>(images.module)][place_of(images.swap)].add(images.first, images.second,
                                                                                 images.images);
        if (visit) visit(images);
      },
      progress);

  Modularity result;
  std::vector<Measured> margins;
  std::array<std::vector<Measured>, kSwaps.size()> selectivities;
  for (std::int64_t m = 0; m < modules.rank(); ++m) {
    std::array<SwapMeasures, kSwaps.size()> own;
    if (!modules.channels_of(m).empty()) {
      for (const Swap swap : kSwaps) {
        if (swap == Swap::random_channels && options.random_sets == 0) continue;
        own[place_of(swap)] = sums[static_cast<std::size_t>(m)][place_of(swap)].measures();
        selectivities[place_of(swap)].push_back(own[place_of(swap)].selectivity);
      }
      margins.push_back(
          difference(own[place_of(Swap::module)].inside, own[place_of(Swap::random_channels)].inside));
    }
    result.of_modules.push_back(own);
  }
  result.margin = mean_of(margins);
  for (const Swap swap : kSwaps) result.selectivity[place_of(swap)] = mean_of(selectivities[place_of(swap)]);
  result.map_cosine = mean_cosine(modules.maps);
  result.overlap = mean_overlap(modules.binary);
  return result;
}

nn::Network untrained(const nn::Network& network, at::Generator& generator) {
  nn::Network fresh = network.clone();
  nn::initialise(fresh, {.keeps_size = true}, generator);
  return fresh;
}

}  // namespace whence::modularity
