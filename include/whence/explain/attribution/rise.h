// f of the image under random masks.
#pragma once

#include "whence/explain/attribution/baseline.h"

namespace whence::attribution {

struct Rise {
  std::int64_t masks = 1000;
  std::int64_t cells = 7;  ///< of a mask, along each side of the image
  double keep = 0.5;       ///< probability that a cell is kept
};

/// The mean over random masks m of f(m x) m / keep, (N, 1, H, W) (Petsiuk, Das and Saenko 2018, equation 6). A mask is a grid of
/// kept (1) and dropped (0) cells, enlarged bilinearly and shifted by less than a cell. Where it is dropped, the image is
/// black, unless Baseline says otherwise.
Attribution rise(const Request& request, const Options& options);

inline constexpr Option kRiseOptions[] = {
    {"rise_masks", IntegerOption{place<&Rise::masks>, 2, 1'000'000}, "", "Random masks."},
    {"rise_cells", IntegerOption{place<&Rise::cells>, 1, 4096}, "", "Cells of a mask along each side."},
    {"rise_keep", NumberOption{place<&Rise::keep>, 0.01, 1}, "", "Probability that a cell is kept."},
    kBaselineImage,
    kBaselineBlur,
    kBaselineNoise,
};

}  // namespace whence::attribution
