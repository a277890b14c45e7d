// Feature visualization: images that make a class, a neuron, a channel, a layer or a direction of a network respond most (Erhan et al.
// 2009; Simonyan et al. 2014; Olah et al. 2017).
//
// For a response r, an image map g and parameters p, Adam maximises the sum over images of
//   r(t(g(p))) / spread - total_variation * TV(g(p)) - diversity * likeness,
// where t is a small random change of each step, and spread makes the weights comparable between units. Without any regularizer
// the result is what Szegedy et al. 2014 call adversarial: high frequencies that carry no meaning.
#pragma once

#include "whence/core/progress.h"
#include "whence/explain/visualization/objective.h"
#include "whence/explain/visualization/parametrization.h"
#include "whence/explain/visualization/regularizers.h"

namespace whence::visualization {

struct Options {
  std::string parametrization = "fourier";  ///< a name of parametrizations()
  std::int64_t count = 1;                   ///< pictures of each unit, from different starts
  bool negative = false;                    ///< the least response instead of the largest
  std::int64_t starts =
      0;  ///< random starts of each picture, of which the best is taken; 0: the parametrization's
  std::int64_t steps = 256;
  double learning_rate = 0;  ///< of the first step, falls along a cosine; 0: the parametrization's
  at::Tensor norms;          ///< (U): with_norm of each unit's images; undefined: free
  double total_variation = 0;
  double gaussian_blur = 0;      ///< deviation in pixels; 0: none. Of the parametrization "pixels" only
  double bilateral_blur = 0;     ///< as above
  double bilateral_range = 0.1;  ///< deviation of colours
  std::int64_t blur_every = 4;   ///< steps between two blurs; the last tenth of the steps has none
  Robustness robustness;
  double diversity = 0;
  double decay = 1;        ///< of "fourier": natural_scale
  double code_radius = 1;  ///< of "prior"
  at::Tensor spread;       ///< (U): what a response is divided by; undefined: 1
  std::int64_t batch =
      64;  ///< images that go through the classifier at once, or one unit's if these are more
  std::uint64_t seed = 0;
  ProgressCallback progress;  ///< told after each step

  /// The options without any regularizer, on pixels: the control.
  Options without_regularizers() const;
};

struct Visualizations {
  at::Tensor images;     ///< (U, count, C, H, W)
  at::Tensor responses;  ///< (U, count), of the images as they are
  at::Tensor codes;      ///< (U, count, D), of "prior"; else undefined
};

/// `image`: (C, H, W), where the classifier does not tell it. The same seed gives the same bits on one machine. Errors (usage): options
/// out of their range, filters on anything but pixels, a parametrization that lacks what it needs, no shape of images.
/// Errors: a classifier without gradients, NaN or infinity, an interruption.
Visualizations visualize(const Response& response, const Options& options,
                         const ImageStatistics* statistics = nullptr,
                         const models::Decoder* decoder = nullptr, const nn::Shape& image = {});

}  // namespace whence::visualization
