#include "whence/nn/training/schedule.h"

#include <cmath>
#include <numbers>

namespace whence::nn {

double one_cycle(std::int64_t step, std::int64_t steps, double peak, double warmup) {
  const double progress = (static_cast<double>(step) + 1) / static_cast<double>(steps);
  if (progress <= warmup) return peak * progress / warmup;
  const double rest = (progress - warmup) / (1 - warmup);
  return peak * 0.5 * (1 + std::cos(std::numbers::pi * rest));
}

double scheduled_rate(Schedule schedule, std::int64_t step, std::int64_t steps, double peak, double warmup) {
  return schedule == Schedule::constant ? peak : one_cycle(step, steps, peak, warmup);
}

std::string_view name_of(Schedule schedule) {
  return schedule == Schedule::constant ? "constant" : "one-cycle";
}

}  // namespace whence::nn
