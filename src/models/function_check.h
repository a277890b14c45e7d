// What every role asks of a foreign module: that it is a function of one sample.
#pragma once

#include "whence/interchange/torchscript.h"

namespace whence::models {

/// A file's module with weights that nothing trains.
nn::ScriptModule load_frozen(const std::filesystem::path& file);

/// Of its file, for errors.
inline std::string name_of(const nn::ScriptModule& module) { return module.path().string(); }

inline nn::Shape sample_shape(const at::Tensor& batch) { return batch.sizes().slice(1).vec(); }

/// At most so many samples of `probe`, on the processor, as the checks take.
at::Tensor checked_samples(const at::Tensor& probe);

/// Runs the module on `samples` and checks it: one row for each sample, all values finite, the same answer when it is asked again,
/// for a sample alone, and beside other samples. Returns the answer as float32. Errors name the file.
std::vector<at::Tensor> checked_outputs(const nn::ScriptModule& module, const at::Tensor& samples);

/// Why the module gives no gradient in its input, as a sentence with the file's name; "" where it gives one.
std::string gradient_obstacle(const nn::ScriptModule& module, const at::Tensor& samples);

}  // namespace whence::models
