#include "whence/explain/attribution/shapley_sampling.h"

#include <numeric>

#include "explain/attribution/moments.h"
#include "explain/attribution/passes.h"
#include "explain/attribution/regions.h"
#include "whence/core/random.h"

namespace whence::attribution {
namespace {

/// All orders of `players`, (orders, players), where there are at most `most` of them; else undefined.
at::Tensor all_orders(std::int64_t players, std::int64_t most) {
  std::int64_t orders = 1;
  for (std::int64_t i = 2; i <= players; ++i)
    if ((orders *= i) > most) return {};
  std::vector<std::int64_t> order(static_cast<std::size_t>(players));
  std::iota(order.begin(), order.end(), 0);
  const at::TensorOptions numbers = at::TensorOptions(at::kCPU).dtype(at::kLong);
  std::vector<at::Tensor> rows;
  do rows.push_back(at::tensor(order, numbers));
  while (std::next_permutation(order.begin(), order.end()));
  return at::stack(rows);
}

class Game {
 public:
  Game(const Request& request, const Options& options)
      : request_(request),
        options_(options),
        baseline_(baseline_of(request, options, options.of<ShapleySampling>().level)),
        regions_(regions_of(request.x, side_of(request.x, options.of<ShapleySampling>().patch))),
        players_(count_of(regions_)),
        ends_(changed_scores(request, at::stack({request.x, baseline_}), options)) {}

  std::int64_t players() const { return players_; }
  /// f(x) and f(baseline), (N) each.
  at::Tensor whole() const { return ends_[0]; }
  at::Tensor nothing() const { return ends_[1]; }

  /// What each region adds in this order of appearance, (N, players).
  at::Tensor additions(const at::Tensor& order) const {
    const at::Tensor rank = order.argsort(0, false).to(regions_.device());
    const at::Tensor rank_of_pixel = rank.index_select(0, regions_.flatten()).view(regions_.sizes());
    std::vector<at::Tensor> scores = {nothing().unsqueeze(0)};
    in_changes(request_, players_ - 1, options_, [&](std::int64_t first, std::int64_t count) {
      const at::Tensor present = at::arange(first + 1, first + count + 1, rank.options());
      const at::Tensor absent = rank_of_pixel >= present.view({-1, 1, 1, 1, 1});
      scores.push_back(changed_scores(request_, at::where(absent, baseline_, request_.x), options_));
    });
    scores.push_back(whole().unsqueeze(0));
    const at::Tensor curve = at::cat(scores).to(at::kDouble);
    return curve.diff(1, 0).index_select(0, rank).t();
  }

  /// Each region's value, shared by its pixels.
  at::Tensor on_pixels(const at::Tensor& of_regions) const {
    const at::Tensor flat = regions_.flatten();
    const at::Tensor sizes = at::bincount(flat).to(of_regions.options());
    const at::Tensor& x = request_.x;
    return (of_regions / sizes)
        .index_select(1, flat)
        .view({x.size(0), 1, x.size(2), x.size(3)})
        .to(x.scalar_type());
  }

 private:
  const Request& request_;
  const Options& options_;
  at::Tensor baseline_;
  at::Tensor regions_;
  std::int64_t players_;
  at::Tensor ends_;
};

struct Estimate {
  at::Tensor values, error;  ///< (N, players)
};

Estimate exact_values(const Game& game, const at::Tensor& orders) {
  Moments values;
  for (std::int64_t i = 0; i < orders.size(0); ++i) values.add(game.additions(orders[i]).unsqueeze(0));
  return {values.mean(), at::zeros_like(values.mean())};
}

/// Pairs of an order and its reverse are independent of each other. Two pairs are the least that have a standard error.
Estimate sampled_values(const Game& game, const Options& options) {
  at::Generator generator = make_generator(options.seed, "attribution/shapley_sampling");
  Moments values;
  const std::int64_t pairs = std::max<std::int64_t>(2, options.of<ShapleySampling>().orders / 2);
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    const at::Tensor order = at::randperm(game.players(), generator, at::kLong);
    values.add((0.5 * (game.additions(order) + game.additions(order.flip(0)))).unsqueeze(0));
  }
  return {values.mean(), values.standard_error()};
}

}  // namespace

Attribution shapley_sampling(const Request& request, const Options& options) {
  const Game game(request, options);
  const at::Tensor orders = all_orders(game.players(), options.of<ShapleySampling>().orders);
  const Estimate found = orders.defined() ? exact_values(game, orders) : sampled_values(game, options);
  const at::Tensor gain = game.whole().to(at::kDouble) - game.nothing().to(at::kDouble);
  return {game.on_pixels(found.values), game.whole(), excess(found.values, gain),
          game.on_pixels(found.error)};
}

}  // namespace whence::attribution
