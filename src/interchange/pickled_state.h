// Weights that torch.save wrote: a zip file with a pickle, and a file for the numbers of each storage.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace whence::interchange {

class ZipArchive;

/// The dict of names and tensors in an entry of `archive`; floating-point numbers are brought to float32. Errors: damaged;
/// objects that are no plain tensors.
std::map<std::string, at::Tensor> read_pickled_tensors(const ZipArchive& archive, const std::string& entry);

}  // namespace whence::interchange
