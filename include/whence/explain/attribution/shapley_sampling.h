// Shapley values of the regions of an image.
#pragma once

#include "whence/explain/attribution/baseline.h"

namespace whence::attribution {

struct ShapleySampling {
  std::int64_t orders = 32;  ///< orders in which regions appear
  std::int64_t patch = 0;    ///< side of a region; 0: a seventh of the shorter side, at least 4
  double level = 0;          ///< grey level of a region that has not appeared, unless Baseline says otherwise
};

/// What a region adds to f when it appears, averaged over random orders of appearance (Strumbelj and Kononenko 2010; Castro, Gomez
/// and Tejada 2009), shared equally by its pixels, (N, 1, H, W). Each random order is followed by its reverse, which lowers the
/// variance (Mitchell et al. 2022). Where there are no more orders than asked for, all of them are taken: then the values are
/// exact. Complete: an order's additions sum to f(x) - f(baseline).
Attribution shapley_sampling(const Request& request, const Options& options);

inline constexpr Option kShapleySamplingOptions[] = {
    {"shapley_sampling_orders", IntegerOption{place<&ShapleySampling::orders>, 2, 1'000'000}, "",
     "Orders in which the regions appear, each followed by its reverse."},
    {"shapley_sampling_patch", IntegerOption{place<&ShapleySampling::patch>, 0, 4096}, "pixels",
     "Side of a region; 0 is a seventh of the shorter side, at least 4."},
    {"shapley_sampling_baseline", NumberOption{place<&ShapleySampling::level>, 0, 1}, "",
     "Grey level of a region that has not appeared; 0 is black."},
    kBaselineImage,
    kBaselineBlur,
    kBaselineNoise,
};

}  // namespace whence::attribution
