// Where the time of a step goes: each layer's share, forward and backward.
#pragma once

#include <functional>

namespace whence::bench {

/// Runs `steps` and prints the milliseconds that each layer's forward and backward pass take a step, measured inside
/// the steps themselves and summed over threads; "elsewhere" is everything that is no layer's: losses, draws, batches, the
/// optimizer, and one thread's waiting for another.
void print_profile(int steps, const std::function<void()>& run);

}  // namespace whence::bench
