#include "whence/explain/modularity/influence.h"

#include <numeric>

#include "explain/flow/classify.h"
#include "explain/modularity/one_channel.h"
#include "whence/core/error.h"
#include "whence/platform/device.h"
#include "whence/platform/parts.h"

namespace whence::modularity {
namespace {

/// Pairs of one batch; more do not make the work faster and would not stay in the caches.
constexpr std::int64_t kPairs = 32;

/// Sums of hybrids and of their squares, or of squared changes, over a batch of pairs.
class Sums {
 public:
  Sums(const InfluenceOptions& options, std::int64_t groups, const Cut& cut)
      : per_colour_(options.per_colour), variance_(options.influence == Influence::variance) {
    // A variance is one of each colour, whatever is averaged later.
    const nn::Shape& image = cut.image();
    const std::int64_t colours = per_colour_ || variance_ ? image[0] : 1;
    squares = at::zeros({groups, cut.channels(), colours, image[1], image[2]},
                        at::TensorOptions(cut.network().device()).dtype(at::kDouble));
    if (variance_) sums = at::zeros_like(squares);
  }

  /// hybrids, first: (n, C, H, W)
  void add(std::int64_t group, std::int64_t channel, const at::Tensor& hybrids, const at::Tensor& first) {
    if (variance_) {
      sums[group][channel].add_(hybrids.sum(0));
      squares[group][channel].add_(hybrids.square().sum(0));
      return;
    }
    const at::Tensor change = (hybrids - first).square_().sum(0);
    squares[group][channel].add_(per_colour_ ? change : change.mean(0, true));
  }

  at::Tensor sums, squares;

 private:
  bool per_colour_, variance_;
};

void check_originals(const at::Tensor& images, const at::Tensor& others) {
  if (!images.isfinite().all().item<bool>())
    fail("the decoder returned images with NaN or infinite values; check its weights");
  if (at::equal(images, others) && at::equal(images, images.narrow(0, 0, 1).expand_as(images)))
    fail("the decoder returned the same image for all codes; channels of a constant image have no influence");
}

}  // namespace

Originals from_prior(std::int64_t latents) {
  return [latents](std::int64_t count, at::Generator& generator) {
    return at::randn({count, latents}, generator, draws_of(generator));
  };
}

Originals from_codes(at::Tensor codes) {
  return [codes = std::move(codes)](std::int64_t count, at::Generator& generator) {
    std::vector<at::Tensor> rows;
    for (std::int64_t left = count; left > 0; left -= codes.size(0))
      rows.push_back(
          at::randperm(codes.size(0), generator, at::kLong).narrow(0, 0, std::min(left, codes.size(0))));
    return codes.index_select(0, at::cat(rows).to(codes.device()));
  };
}

Pairs draw_pairs(const Originals& originals, std::int64_t pairs, at::Generator& generator) {
  const at::Tensor codes = originals(2 * pairs, generator);
  return {codes.narrow(0, 0, pairs), codes.narrow(0, pairs, pairs)};
}

std::string_view name_of(Influence influence) {
  return influence == Influence::change ? "change" : "variance";
}

InfluenceMaps::InfluenceMaps(const InfluenceOptions& options, std::vector<std::int64_t> pairs,
                             at::Tensor sums, at::Tensor squares)
    : options_(options), pairs_(std::move(pairs)), sums_(std::move(sums)), squares_(std::move(squares)) {
  if (!sums_.defined()) sums_ = squares_;
}

std::int64_t InfluenceMaps::pairs() const { return std::accumulate(pairs_.begin(), pairs_.end(), 0LL); }

at::Tensor InfluenceMaps::of_groups(const std::vector<std::int64_t>& groups) const {
  double count = 0;
  for (const std::int64_t group : groups)
    count += static_cast<double>(hybrids(pairs_[static_cast<std::size_t>(group)]));
  const at::Tensor which = index_of(groups, squares_);
  at::Tensor maps = squares_.index_select(0, which).sum(0) / count;
  if (options_.influence == Influence::variance)
    maps =
        (maps - (sums_.index_select(0, which).sum(0) / count).square()).clamp_min(0) * (count / (count - 1));
  if (!options_.per_colour) maps = maps.mean(1);
  if (options_.symmetric) maps = (maps + maps.flip(-1)) / 2;
  if (options_.relative) {
    const at::Tensor mean = maps.mean(0, true);
    maps = at::where(mean > 0, maps / mean, at::zeros({}, maps.options()));
  }
  return maps;
}

at::Tensor InfluenceMaps::all() const {
  std::vector<std::int64_t> every(static_cast<std::size_t>(groups()));
  std::iota(every.begin(), every.end(), 0);
  return of_groups(every);
}

double InfluenceMaps::relative_error() const {
  std::vector<at::Tensor> each;
  for (std::int64_t group = 0; group < groups(); ++group) each.push_back(of_groups({group}));
  const double size = all().norm().item<double>();
  return size == 0
             ? 0
             : std::sqrt(at::stack(each).var(0).sum().item<double>() / static_cast<double>(groups())) / size;
}

void InfluenceMaps::add(const InfluenceMaps& more) {
  TORCH_CHECK(more.sums_.sizes() == sums_.sizes(), "maps of ", more.sums_.sizes(), " are not those of ",
              sums_.sizes());
  for (std::size_t group = 0; group < pairs_.size(); ++group) pairs_[group] += more.pairs_[group];
  squares_ = squares_ + more.squares_;
  sums_ = options_.influence == Influence::variance ? sums_ + more.sums_ : squares_;
}

InfluenceMaps influence_maps_within(double error, const Cut& cut, const Originals& originals,
                                    std::int64_t pairs, const InfluenceOptions& options,
                                    at::Generator& generator, const ProgressCallback& progress) {
  InfluenceMaps maps = influence_maps(cut, draw_pairs(originals, pairs, generator), options, progress);
  while (error > 0 && maps.pairs() < kMostPairs) {
    const double times = maps.relative_error() / error;  // it falls with the root of the pairs
    if (times <= 1) break;
    const auto wanted =
        std::min<double>(std::ceil(static_cast<double>(maps.pairs()) * times * times), kMostPairs);
    const std::int64_t missing =
        std::max(static_cast<std::int64_t>(wanted) - maps.pairs(), 2 * options.groups);
    maps.add(influence_maps(cut, draw_pairs(originals, missing, generator), options, progress));
  }
  return maps;
}

InfluenceMaps influence_maps(const Cut& cut, const Pairs& pairs, const InfluenceOptions& options,
                             const ProgressCallback& progress) {
  const std::int64_t groups = options.groups, channels = cut.channels();
  if (groups < 2 || pairs.size() < 2 * groups)
    fail_usage(
        "influence maps need 2 or more pairs of originals in each of {} groups, but there are {} pairs",
        std::max<std::int64_t>(groups, 2), pairs.size());
  const at::NoGradGuard no_grad;
  Sums sums(options, groups, cut);
  std::vector<std::int64_t> counts;
  std::int64_t done = 0;
  const OneChannel one_channel(cut);
  const std::int64_t threads = cut.network().device().is_cpu() ? parts_for(channels, 1) : 1;
  const std::int64_t batch =
      std::min(kPairs, std::max<std::int64_t>(cut.samples_within(options.memory_bytes) / threads, 1));
  const auto add_hybrids = [&](std::int64_t group, const Activations& first, const Activations& second,
                               const at::Tensor& originals) {
    const OneChannel::Batch hybrids = one_channel.batch(first, second);
    run_parts(threads, [&](std::int64_t part) {
      const Rows mine = part_of(channels, part, threads);
      for (std::int64_t channel = mine.first; channel < mine.first + mine.count; ++channel)
        sums.add(group, channel, hybrids.swapped(channel), originals);
    });
  };
  for (std::int64_t group = 0; group < groups; ++group) {
    const Rows own = part_of(pairs.size(), group, groups);
    counts.push_back(own.count);
    flow::for_batches(own.count, batch, [&](std::int64_t first, std::int64_t count) {
      const Activations a = cut.before(pairs.first.narrow(0, own.first + first, count)),
                        b = cut.before(pairs.second.narrow(0, own.first + first, count));
      const at::Tensor originals = cut.behind(a);
      if (done == 0) check_originals(originals, cut.behind(b));
      add_hybrids(group, a, b, originals);
      if (options.both_ways) add_hybrids(group, b, a, cut.behind(b));
      done += count;
      if (progress) progress({"influence maps", done, pairs.size(), {}, "pairs"});
    });
  }
  const auto home = [](const at::Tensor& values) { return values.defined() ? values.to(at::kCPU) : values; };
  return {options, counts, home(sums.sums), home(sums.squares)};
}

}  // namespace whence::modularity
