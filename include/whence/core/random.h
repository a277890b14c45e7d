// Seeded random streams. Nothing in whence draws from LibTorch's global generator.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

namespace whence {

using Tensor = at::Tensor;
using Generator = at::Generator;

/// A generator of its own for one purpose: the same (seed, stream) gives the same draws whatever else is drawn
/// elsewhere; different streams of one seed are independent. `stream` is a name such as "gce/batches".
Generator make_generator(std::uint64_t seed, std::string_view stream);

/// The generator's state as a uint8 tensor, to be stored in a checkpoint.
Tensor generator_state(const Generator& generator);
void restore_generator(Generator& generator, const Tensor& state);

}  // namespace whence
