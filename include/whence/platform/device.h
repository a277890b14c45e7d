// Where tensors lie and are computed with: the processor, or a GPU.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <string_view>

namespace whence {

/// "cpu", "cuda" (the first GPU) or "cuda:N" (the GPU with number N). Errors: another name; a GPU where LibTorch was built
/// for processors only, where there is none, or none with this number. Each says what to do.
at::Device device_named(std::string_view name);

/// Where and as what a stream of random numbers makes its draws: beside the generator. Those of make_generator lie on the
/// processor, and a draw moves to the device from there, so that a seed draws the same numbers wherever they are used.
at::TensorOptions draws_of(const at::Generator& generator, at::ScalarType type = at::kFloat);

}  // namespace whence
