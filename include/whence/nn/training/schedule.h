// Learning rates that change over a training.
#pragma once

#include <cstdint>
#include <string_view>

namespace whence::nn {

/// Linear from 0 to `peak` over the share `warmup` of the steps, then a half cosine down to 0 (Smith & Topin 2018, with
/// the cosine of Loshchilov & Hutter 2017). step: 0 .. steps - 1; the last one has rate 0 up to rounding.
double one_cycle(std::int64_t step, std::int64_t steps, double peak, double warmup);

enum class Schedule { constant, one_cycle };

/// `peak` itself, or one_cycle.
double scheduled_rate(Schedule schedule, std::int64_t step, std::int64_t steps, double peak, double warmup);

std::string_view name_of(Schedule schedule);

}  // namespace whence::nn
