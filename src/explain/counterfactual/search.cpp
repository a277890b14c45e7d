#include "explain/counterfactual/search.h"

#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <numbers>

#include "explain/flow/classify.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// By how much, in logits, the new class must lead: the rounding of another batch must not undo it.
constexpr double kClear = 1e-4;
/// Most often that a ray is turned, and how far towards the normal it is tried to.
constexpr int kTurns = 12;
constexpr double kShares[] = {1, 0.5, 0.25, 0.125};

Tensor unit(const Tensor& rows) { return rows / rows.norm(2, -1, true).clamp_min(1e-30); }

Tensor chosen_rows(const Tensor& chosen) { return chosen.nonzero().squeeze(1); }

/// K = 1: both ways. K = 2: even angles. More: the axes and fixed random directions, each with its opposite.
Tensor fixed_directions(std::int64_t causal, std::int64_t rays) {
  Generator generator = make_generator(0, "gce/counterfactual/rays");
  const at::TensorOptions options = draws_of(generator);
  if (causal == 1) return at::tensor({1.0F, -1.0F}, options).view({2, 1});
  if (causal == 2) {
    const Tensor angle =
        at::arange(rays, options.dtype(at::kDouble)) * (2 * std::numbers::pi / static_cast<double>(rays));
    return at::stack({angle.cos(), angle.sin()}, 1).to(at::kFloat);
  }
  const std::int64_t free = std::max<std::int64_t>(rays / 2 - causal, 0);
  const Tensor half =
      at::cat({at::eye(causal, options), unit(at::randn({free, causal}, generator, options))});
  return at::cat({half, -half});
}

std::int64_t chosen_rays(std::int64_t causal, std::int64_t asked) {
  if (asked > 0) return asked;
  return causal == 2 ? 16 : 16 * causal;
}

/// For each class: its lead over the best other one, and its log-odds less those asked for. Shapes (r, M).
Tensor margins_of(const Tensor& logits, double probability) {
  const auto [best, at] = logits.topk(2, 1);
  const Tensor classes = at::arange(logits.size(1), at.options()).unsqueeze(0);
  const Tensor other = at::where(classes.eq(at.narrow(1, 0, 1)), best.narrow(1, 1, 1), best.narrow(1, 0, 1));
  const Tensor lead = logits - other - kClear;
  if (probability == 0) return lead;
  const Tensor p = logits.softmax(1).clamp(1e-12, 1 - 1e-12);
  return at::minimum(lead, p.log() - (-p).log1p() - std::log(probability / (1 - probability)));
}

}  // namespace

CounterfactualSearch::CounterfactualSearch(const models::Decoder& decoder,
                                           const models::Classifier& classifier, std::int64_t causal,
                                           const CounterfactualOptions& options)
    : decoder_(decoder),
      classifier_(classifier),
      options_(options),
      causal_(causal),
      step_(options.step > 0 ? options.step
            : causal == 1    ? 0.1
                             : 0.25),
      batch_(flow::samples_within(decoder, classifier, options.memory_bytes)),
      directions_(fixed_directions(causal, chosen_rays(causal, options.rays)).to(decoder.device())) {}

CounterfactualSearch::Result CounterfactualSearch::run(const Tensor& codes, const Tensor& from) const {
  const Problem problem = pose(codes, from);
  Tensor distance = codes.new_full({codes.size(0)}, kInfinity);
  Tensor direction = codes.new_zeros({codes.size(0), causal_});
  scan(problem, distance, direction);
  if (causal_ > 1) turn(problem, distance, direction);
  const Tensor found = distance.isfinite();
  return {found, at::where(found, distance, 0.0F).unsqueeze(1) * direction};
}

CounterfactualSearch::Problem CounterfactualSearch::pose(const Tensor& codes, const Tensor& from) const {
  Problem problem;
  problem.codes = codes;
  problem.alpha = codes.narrow(1, 0, causal_);
  problem.limit = problem.alpha.norm(2, 1).clamp_min(options_.radius);
  const Tensor classes = at::arange(classifier_.classes(), from.options()).unsqueeze(0);
  problem.targets =
      options_.to ? classes.eq(*options_.to).expand({codes.size(0), -1}) : classes.ne(from.unsqueeze(1));
  return problem;
}

Tensor CounterfactualSearch::rows_in_batches(
    std::int64_t rows, const std::function<Tensor(std::int64_t first, std::int64_t count)>& of) const {
  std::vector<Tensor> parts;
  flow::for_batches(rows, batch_,
                    [&](std::int64_t first, std::int64_t count) { parts.push_back(of(first, count)); });
  return at::cat(parts);
}

Tensor CounterfactualSearch::margin(const Problem& problem, const Tensor& image, const Tensor& move) const {
  return rows_in_batches(image.size(0), [&](std::int64_t first, std::int64_t count) {
    const Tensor rows = image.narrow(0, first, count);
    const Tensor codes = problem.codes.index_select(0, rows);
    const Tensor alpha = codes.narrow(1, 0, causal_) + move.narrow(0, first, count);
    const Tensor moved = at::cat({alpha, codes.narrow(1, causal_, codes.size(1) - causal_)}, 1);
    const Tensor margins =
        margins_of(classifier_.logits(decoder_.decode(moved)).to(at::kDouble), options_.probability);
    return margins.masked_fill(problem.targets.index_select(0, rows).logical_not(), -kInfinity).amax(1);
  });
}

Tensor CounterfactualSearch::gradient(const Problem& problem, const Tensor& image, const Tensor& move) const {
  return rows_in_batches(image.size(0), [&](std::int64_t first, std::int64_t count) {
    const at::AutoGradMode with_gradients(true);
    const Tensor part = move.narrow(0, first, count).detach().clone().requires_grad_(true);
    const Tensor sum = margin(problem, image.narrow(0, first, count), part).sum();
    if (!sum.requires_grad()) return at::zeros_like(part);  // a model that keeps its gradients to itself
    return torch::autograd::grad({sum}, {part}).front();
  });
}

Tensor CounterfactualSearch::way_out(const Problem& problem, const Rays& rays) const {
  const Tensor alpha = problem.alpha.index_select(0, rays.image);
  const Tensor along = (alpha * rays.direction).sum(1);
  const Tensor room = problem.limit.index_select(0, rays.image).square() - alpha.square().sum(1);
  return (along.square() + room.clamp_min(0)).sqrt() - along;
}

CounterfactualSearch::Rays CounterfactualSearch::rays_of(const Problem& problem, const Tensor& images) const {
  Tensor direction = directions_.unsqueeze(0).expand({images.size(0), -1, -1});
  if (causal_ > 1) {  // fixed rays are sparse there: the steepest way up joins them
    const Tensor steepest =
        unit(gradient(problem, images, problem.codes.new_zeros({images.size(0), causal_})));
    direction = at::cat({direction, steepest.unsqueeze(1)}, 1);
  }
  return {images.repeat_interleave(direction.size(1)), direction.reshape({-1, causal_})};
}

Tensor CounterfactualSearch::bisect(const Problem& problem, const Rays& rays, const Tensor& lower,
                                    const Tensor& upper) const {
  Tensor below = lower, above = upper;
  while ((above - below).max().item<double>() > options_.tolerance) {
    const Tensor middle = 0.5 * (below + above);
    if (middle.eq(below).logical_or(middle.eq(above)).all().item<bool>()) break;  // no number lies between
    const Tensor flipped = margin(problem, rays.image, middle.unsqueeze(1) * rays.direction).gt(0);
    above = at::where(flipped, middle, above);
    below = at::where(flipped, below, middle);
  }
  return above;
}

void CounterfactualSearch::scan(const Problem& problem, Tensor& distance, Tensor& direction) const {
  Rays open = rays_of(problem, at::arange(problem.codes.size(0), problem.codes.options().dtype(at::kLong)));
  Tensor end = way_out(problem, open);
  for (std::int64_t shell = 1; open.image.size(0) > 0; ++shell) {
    const double inner = static_cast<double>(shell - 1) * step_;
    const Tensor outer = end.clamp_max(inner + step_);
    const Tensor flipped = margin(problem, open.image, outer.unsqueeze(1) * open.direction).gt(0);
    const Tensor hits = chosen_rows(flipped);
    if (hits.size(0) > 0) {
      const Rays hit{open.image.index_select(0, hits), open.direction.index_select(0, hits)};
      const Tensor radius =
          bisect(problem, hit, outer.new_full({hits.size(0)}, inner), outer.index_select(0, hits));
      const Tensor farthest_first = radius.argsort(0, /*descending=*/true);  // the last one written stays
      for (const Tensor& ray : farthest_first.unbind(0)) {
        const std::int64_t row = ray.item<std::int64_t>(), image = hit.image[row].item<std::int64_t>();
        distance[image] = radius[row];
        direction[image] = hit.direction[row];
      }
    }
    const Tensor unsettled = distance.index_select(0, open.image).isinf();
    const Tensor stay = chosen_rows(unsettled.logical_and(end.gt(inner + step_)));
    open = {open.image.index_select(0, stay), open.direction.index_select(0, stay)};
    end = end.index_select(0, stay);
  }
}

void CounterfactualSearch::turn(const Problem& problem, Tensor& distance, Tensor& direction) const {
  Tensor active = chosen_rows(distance.isfinite());
  const Tensor share = at::tensor(at::ArrayRef<double>(kShares), distance.options()).view({1, -1, 1});
  const std::int64_t shares = share.size(1);
  for (int round = 0; round < kTurns && active.size(0) > 0; ++round) {
    const Tensor old = direction.index_select(0, active);
    const Tensor shorter = distance.index_select(0, active) - options_.tolerance;
    const Tensor normal =
        unit(gradient(problem, active, distance.index_select(0, active).unsqueeze(1) * old));
    const Tensor turned =
        unit((1 - share) * old.unsqueeze(1) + share * normal.unsqueeze(1));  // (a, shares, K)
    const Rays tried{active.repeat_interleave(shares), turned.reshape({-1, causal_})};
    const Tensor radius = shorter.repeat_interleave(shares);
    const Tensor allowed = radius.gt(0).logical_and(radius.le(way_out(problem, tried)));
    const Tensor margins = margin(problem, tried.image, radius.unsqueeze(1) * tried.direction)
                               .masked_fill(allowed.logical_not(), -kInfinity);
    const auto [best, at] = margins.view({-1, shares}).max(1);
    const Tensor better = chosen_rows(best.gt(0));
    if (better.size(0) == 0) return;
    active = active.index_select(0, better);
    const Tensor picked = better * shares + at.index_select(0, better);
    const Rays next{active, tried.direction.index_select(0, picked)};
    distance.index_copy_(
        0, active,
        bisect(problem, next, shorter.new_zeros({active.size(0)}), shorter.index_select(0, better)));
    direction.index_copy_(0, active, next.direction);
  }
}

}  // namespace whence::counterfactual
