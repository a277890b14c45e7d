// The part of an image, of a given area, that alone gives the largest score.
#pragma once

#include "whence/explain/attribution/baseline.h"

namespace whence::attribution {

struct ExtremalPerturbation {
  double area = 0.1;        ///< mean of the mask over the pixels
  double smoothness = 0.1;  ///< width of the mask's smallest part, as a share of the image's shorter side
  std::int64_t iterations = 300;
  double learning_rate = 0.05;  ///< of Adam
  double area_weight = 1000;    ///< price of a mean squared distance of 1 from the area, at the end
};

/// The smooth mask m in [0, 1], (N, 1, H, W), of the given area that maximises f(m x + (1 - m) x'), x' the blurred image unless Baseline
/// says otherwise (Fong, Patrick and Vedaldi 2019, section 3). Values at cells are spread by a smooth maximum over a bell of the given
/// width (temperature 1/20) and enlarged bilinearly. The search maximises
///   f(m x + (1 - m) x') / |f(x) - f(x')| - weight mean((sorted m - (0, ..., 0, 1, ..., 1))^2)
/// whose weight grows evenly in its logarithm from 1 to area_weight, so that the mask first goes where the score is and then gets its
/// area. They start at 300 and do not divide, which suits the scores of one kind of network. Errors: those of baseline_of.
Attribution extremal_perturbation(const Request& request, const Options& options);

inline constexpr Option kExtremalPerturbationOptions[] = {
    {"extremal_perturbation_area", NumberOption{place<&ExtremalPerturbation::area>, 0.001, 0.999},
     "share of the pixels", "Area of the part that is kept."},
    {"extremal_perturbation_smoothness", NumberOption{place<&ExtremalPerturbation::smoothness>, 0.01, 0.5},
     "share of the shorter side", "Width of the smallest part of a mask."},
    {"extremal_perturbation_iterations",
     IntegerOption{place<&ExtremalPerturbation::iterations>, 1, 1'000'000}, "",
     "Steps of Adam that look for the part."},
    {"extremal_perturbation_rate", NumberOption{place<&ExtremalPerturbation::learning_rate>, 0.0001, 10}, "",
     "Learning rate of the search for the part."},
    {"extremal_perturbation_weight", NumberOption{place<&ExtremalPerturbation::area_weight>, 1}, "",
     "Weight of the distance from the area at the end; it starts at 1."},
    kBaselineImage,
    kBaselineBlur,
    kBaselineNoise,
};

}  // namespace whence::attribution
