// Measures beside the curves, and what they share.
#pragma once

#include "whence/explain/attribution/measures.h"

namespace whence::attribution {

/// Error (programmer): maps that do not fit the images; (usage): a region's side below 1.
void check_maps(const at::Tensor& x, const at::Tensor& values, const PerturbationOptions& options);

at::Tensor sensitivity_n(const Judged& judged, const PerturbationOptions& options);
at::Tensor infidelity(const Judged& judged, const PerturbationOptions& options);
at::Tensor max_sensitivity(const Judged& judged, const PerturbationOptions& options);
at::Tensor randomization(const Judged& judged, const PerturbationOptions& options);
at::Tensor departure(const Judged& judged, const PerturbationOptions& options);
at::Tensor sparseness(const Judged& judged, const PerturbationOptions& options);

}  // namespace whence::attribution
