// What the rows mean that a foreign classifier returns.
#pragma once

#include "whence/interchange/torchscript.h"
#include "whence/models/roles.h"

namespace whence::models {

/// Of one choice among the classes, or of each label by itself.
enum class Rows { logits, probabilities, labels };

/// (N, M, 1, ...) as (N, M), and (N) as (N, 1).
at::Tensor flat_rows(const at::Tensor& output);

/// What `rows` (N, M) are, which the module returns for `samples`. Errors (file named): those of load_classifier.
Rows meaning_of(const nn::ScriptModule& module, const at::Tensor& samples, const at::Tensor& rows,
                const ClassifierReading& reading);

/// The smallest probability whose logarithm is taken.
constexpr double smallest_probability = 1e-12;

}  // namespace whence::models
