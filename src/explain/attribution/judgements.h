// Measures beside the curves, and what they share.
#pragma once

#include "whence/explain/attribution/measures.h"

namespace whence::attribution {

/// Error (programmer): maps that do not fit the images; (usage): a region's side below 1.
void check_maps(const at::Tensor& x, const at::Tensor& values, const PerturbationOptions& options);

/// Images like x of what comes in the place of what is taken out.
at::Tensor replacement_of(const at::Tensor& x, const PerturbationOptions& options);

at::Tensor sensitivity_n(const Judged& judged, const PerturbationOptions& options);
at::Tensor infidelity(const Judged& judged, const PerturbationOptions& options);
at::Tensor max_sensitivity(const Judged& judged, const PerturbationOptions& options);
at::Tensor randomization(const Judged& judged, const PerturbationOptions& options);
at::Tensor sparseness(const Judged& judged, const PerturbationOptions& options);

}  // namespace whence::attribution
