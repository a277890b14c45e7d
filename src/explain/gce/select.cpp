#include "whence/explain/gce/select.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace whence::gce {
namespace {

/// Three significant digits, so that a recipe with it reads well.
double rounded(double lambda) { return std::stod(fmt::format("{:.2e}", lambda)); }

/// Algorithm 1 over a table: goes as far as the table reaches, and remembers the first setting that it lacks.
class SelectionWalk {
 public:
  SelectionWalk(const std::vector<Trial>& trials, const SelectionOptions& options)
      : trials_(trials), options_(options) {}

  Decision decide() {
    const Trial* chosen = nullptr;
    if (const Trial* base = choose_base()) chosen = choose_causal(*base);
    if (missing_) {
      decision_.next = missing_;
    } else if (chosen != nullptr) {
      decision_.chosen = chosen->setting;
    }
    return decision_;
  }

  Decision settle() {
    const Trial* base = choose_base();
    const std::vector<const Trial*> near = base == nullptr ? std::vector<const Trial*>() : all_near(*base);
    if (near.empty()) return decision_;
    const Trial* best = *std::max_element(
        near.begin(), near.end(), [](const Trial* a, const Trial* b) { return a->effect < b->effect; });
    const Trial* chosen = best;
    for (const Trial* trial : near) {
      const bool as_good = best->effect - trial->effect <= options_.errors * error_of_gain(*best, *trial);
      if (as_good && simpler(trial->setting, chosen->setting)) chosen = trial;
    }
    say("the time was over; of what was measured in full, {} has the largest C that errors tell apart",
        describe(chosen->setting));
    decision_.chosen = chosen->setting;
    return decision_;
  }

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    decision_.reasons.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  const Trial* find(const Setting& setting) {
    const auto found = std::find_if(trials_.begin(), trials_.end(),
                                    [&](const Trial& trial) { return trial.setting == setting; });
    if (found != trials_.end()) return &*found;
    if (!missing_) missing_ = setting;
    return nullptr;
  }

  bool is_worth(double gain, double value, double se) const {
    return gain > std::max(options_.plateau * std::abs(value), options_.errors * se);
  }

  static double error_of_gain(const Trial& a, const Trial& b) { return std::hypot(a.effect_se, b.effect_se); }

  bool within(const Trial& trial, const Trial& base, double distances) const {
    const double error = bound_change_se(trial, base);
    return trial.bound() - base.bound() <=
           distances * options_.distance * base.bound() + options_.errors * error;
  }
  bool is_near(const Trial& trial, const Trial& base) const {
    return !trial.setting.pilot && within(trial, base, 1);
  }

  static bool simpler(const Setting& a, const Setting& b) {
    return a.causal != b.causal ? a.causal < b.causal : a.lambda > b.lambda;
  }

  /// Step 1.
  const Trial* choose_latents() {
    const Trial* best = nullptr;
    int misses = 0;
    for (const std::int64_t latents : options_.latents) {
      const Trial* now = find({.causal = 0, .noncausal = latents});
      if (now == nullptr) return nullptr;
      if (best == nullptr) {
        best = now;
        continue;
      }
      const double gain = best->bound() - now->bound(), error = bound_change_se(*best, *now);
      if (is_worth(gain, best->bound(), error)) {
        best = now;
        misses = 0;
        continue;
      }
      say("{} latents change SSE + KL by {:.2f} +- {:.2f} from that of {}: no improvement", latents, -gain,
          error, best->setting.latents());
      if (++misses == options_.patience) return best;
    }
    if (best != nullptr && misses == 0)
      say("SSE + KL still improved at {} latents, the most that were allowed", best->setting.latents());
    return best;
  }

  /// Whose D is D1; null while it is missing.
  const Trial* choose_base() {
    const Trial* base = choose_latents();
    if (missing_) return nullptr;
    if (options_.reference)
      base = find({.causal = 0, .noncausal = base->setting.latents(), .reference = true});
    if (base != nullptr) decision_.limit = (1 + options_.distance) * base->bound();
    return base;
  }

  /// Steps 2 and 3.
  const Trial* choose_causal(const Trial& base) {
    const std::int64_t latents = base.setting.latents(), most = std::max<std::int64_t>(1, latents - 1);
    const Trial* before = nullptr;
    for (std::int64_t causal = 1; causal <= most; ++causal) {
      const Trial* now = choose_lambda(base, {.causal = causal, .noncausal = latents - causal});
      if (missing_) return nullptr;
      if (now == nullptr) {
        say("with K = {} no lambda up to {:g} brings SSE + KL near {:.2f}", causal, options_.most_lambda,
            base.bound());
        return before;
      }
      say("K = {}: lambda = {:g}, C = {:.3f} +- {:.3f}, SSE + KL = {:.2f}", causal, now->setting.lambda,
          now->effect, now->effect_se, now->bound());
      if (before != nullptr) {
        const double gain = now->effect - before->effect, error = error_of_gain(*now, *before);
        if (!is_worth(gain, before->effect, error)) {
          say("K = {} gains {:.3f} +- {:.3f} nats over K = {}: the plateau", causal, gain, error, causal - 1);
          return before;
        }
      }
      before = now;
    }
    say("C still grew at K = {}, the most that {} latents allow", most, latents);
    return before;
  }

  /// The trial whose lambda is taken for this K and L; null when a trial is missing or none is near.
  const Trial* choose_lambda(const Trial& base, const Setting& setting) {
    switch (options_.rule) {
      case SelectionRule::relative:
        return by_steps(base, setting);
      case SelectionRule::reversal:
        return by_factors(base, setting);
      case SelectionRule::standard_error:
        return by_errors(base, setting);
    }
    return nullptr;
  }

  const Trial* by_steps(const Trial& base, Setting setting) {
    for (int i = 1; options_.lambda_step * i <= options_.most_lambda; ++i) {
      setting.lambda = rounded(options_.lambda_step * i);
      const Trial* now = find(setting);
      if (now == nullptr || is_near(*now, base)) return now;
    }
    return nullptr;
  }

  double lambda_at(int exponent) const {
    return rounded(options_.first_lambda * std::pow(options_.lambda_factor, exponent));
  }

  const Trial* by_factors(const Trial& base, Setting setting) {
    const Trial* before = nullptr;
    for (int i = 0; lambda_at(i) <= options_.most_lambda; ++i) {
      setting.lambda = lambda_at(i);
      const Trial* now = find(setting);
      if (now == nullptr) return nullptr;
      if (before != nullptr && now->bound() >= before->bound()) return before;  // which comes closer
      if (is_near(*now, base)) return now;
      before = now;
    }
    return nullptr;
  }

  /// The full trial, or the pilot when that is hopeless.
  const Trial* try_out(const Trial& base, Setting setting, int exponent) {
    setting.lambda = lambda_at(exponent);
    Setting pilot = setting;
    pilot.pilot = true;
    const Trial* first = find(pilot);
    if (first == nullptr || !within(*first, base, options_.hopeless)) return first;
    return find(setting);
  }

  const Trial* by_errors(const Trial& base, const Setting& setting) {
    int exponent = begin_;
    const Trial* now = try_out(base, setting, exponent);
    const bool climbs = now != nullptr && !is_near(*now, base);
    while (now != nullptr && !is_near(*now, base)) {
      if (lambda_at(++exponent) > options_.most_lambda) return nullptr;
      now = try_out(base, setting, exponent);
    }
    while (now != nullptr && !climbs && lambda_at(exponent - 1) >= options_.least_lambda) {
      const Trial* lower = try_out(base, setting, exponent - 1);
      if (lower == nullptr) return nullptr;
      const bool gains = is_worth(lower->effect - now->effect, now->effect, error_of_gain(*lower, *now));
      if (!is_near(*lower, base) || !(gains || now->effect < options_.least_effect)) break;
      now = lower;
      --exponent;
    }
    begin_ = exponent;
    return now;
  }

  std::vector<const Trial*> all_near(const Trial& base) const {
    std::vector<const Trial*> near;
    for (const Trial& trial : trials_) {
      const Setting& setting = trial.setting;
      if (setting.causal > 0 && setting.latents() == base.setting.latents() && is_near(trial, base))
        near.push_back(&trial);
    }
    return near;
  }

  const std::vector<Trial>& trials_;
  const SelectionOptions& options_;
  std::optional<Setting> missing_;
  int begin_ = 0;  // the power of lambda_factor that a K begins with
  Decision decision_;
};

}  // namespace

double bound_change_se(const Trial& a, const Trial& b) {
  const auto n = static_cast<double>(a.of_images.size());
  if (n < 2 || a.of_images.size() != b.of_images.size()) return std::hypot(a.bound_se, b.bound_se);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < a.of_images.size(); ++i) {
    const double change = static_cast<double>(a.of_images[i]) - static_cast<double>(b.of_images[i]);
    sum += change;
    squares += change * change;
  }
  return std::sqrt(std::max(0.0, squares / n - sum / n * sum / n) / (n - 1));
}

Decision decide(const std::vector<Trial>& trials, const SelectionOptions& options) {
  check(options);
  return SelectionWalk(trials, options).decide();
}

Decision settle(const std::vector<Trial>& trials, const SelectionOptions& options) {
  check(options);
  return SelectionWalk(trials, options).settle();
}

}  // namespace whence::gce
