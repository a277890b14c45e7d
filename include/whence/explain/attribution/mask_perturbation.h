// The smallest part of an image whose loss takes the class away.
#pragma once

#include "whence/explain/attribution/baseline.h"

namespace whence::attribution {

struct MaskPerturbation {
  std::int64_t iterations = 200;
  double learning_rate = 0.1;  ///< of Adam
  std::int64_t cell = 2;       ///< side of a mask's cell, pixels
  double area_weight = 0.5;    ///< price of the whole image
  double variation_weight = 0.003;
  double variation_power = 3;
  std::int64_t jitter = 1;  ///< largest shift of the image in a step, pixels
};

/// 1 - m, (N, 1, H, W), of the mask m in [0, 1] that minimises
///   p(shift(m x + (1 - m) x')) + area_weight mean(1 - m) + variation_weight sum |m(u) - m(v)|^variation_power
/// with p the probability of the target, x' the baseline (the blurred image, unless Baseline says otherwise; Fong and Vedaldi also take a
/// constant and noise), u and v neighbouring cells of m, which is enlarged bilinearly, and a new random shift in each step (Fong and Vedaldi 2017,
/// equations 3 and 5). It always explains probabilities. Theirs are 28 x 28 cells of 8 pixels, whose area costs 1e-4 a cell, 0.08 for the whole
/// image, and their variation 0.01: on small images that takes out far more than is needed. The search starts from an image that is all baseline, so it also ends where the probability of the image itself is flat; theirs starts
/// from a disc. Blur is a mixture with the blurred image, as in their code. Errors: those of baseline_of.
Attribution mask_perturbation(const Request& request, const Options& options);

/// What it minimises, for masks 1 - m (N, 1, h, w) of cells and without a shift, (N).
at::Tensor mask_perturbation_cost(const Request& request, const Options& options, const at::Tensor& removed);

inline constexpr Option kMaskPerturbationOptions[] = {
    {"mask_perturbation_iterations", IntegerOption{place<&MaskPerturbation::iterations>, 1, 1'000'000}, "",
     "Steps of Adam that look for the mask."},
    {"mask_perturbation_rate", NumberOption{place<&MaskPerturbation::learning_rate>, 0.0001, 10}, "",
     "Learning rate of that search."},
    {"mask_perturbation_cell", IntegerOption{place<&MaskPerturbation::cell>, 1, 4096}, "pixels",
     "Side of a cell of the mask."},
    {"mask_perturbation_area", NumberOption{place<&MaskPerturbation::area_weight>, 0}, "probability",
     "What taking out the whole image costs."},
    {"mask_perturbation_variation", NumberOption{place<&MaskPerturbation::variation_weight>, 0}, "",
     "Weight of the mask's total variation."},
    {"mask_perturbation_power", NumberOption{place<&MaskPerturbation::variation_power>, 1, 10}, "",
     "Power of the differences in the total variation."},
    {"mask_perturbation_jitter", IntegerOption{place<&MaskPerturbation::jitter>, 0, 4096}, "pixels",
     "Largest random shift of the image in a step of the search."},
    kBaselineImage,
    kBaselineBlur,
    kBaselineNoise,
};

}  // namespace whence::attribution
