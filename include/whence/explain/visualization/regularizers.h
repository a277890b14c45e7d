// What keeps a visualization near natural images: penalties, filters and small changes that must not matter.
// Shapes: x (N, C, H, W) in [0, 1].
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace whence::visualization {

/// The mean over values of sqrt((x[i, j+1] - x[i, j])^2 + (x[i+1, j] - x[i, j])^2), (N); differences over the edge are 0. The total
/// variation of Mahendran & Vedaldi 2015, equation 3, beta = 1, a value. Differentiable everywhere: 1e-8 is added under the root.
at::Tensor total_variation(const at::Tensor& x);

/// x scaled to the Euclidean norms `norms` (N); values above 1 become 1 (Erhan et al. 2009, section 3: the input of greatest
/// activation among those of one norm). Differentiable.
at::Tensor with_norm(const at::Tensor& x, const at::Tensor& norms);

/// The mean of neighbours up to 2 sigma, weighted by exp(-d^2 / 2 sigma^2 - c^2 / 2 range^2), where d is the distance in pixels and c that of
/// colours: edges higher than `range` stay (Tomasi & Manduchi 1998). The edge of the image is repeated.
at::Tensor bilateral_blur(const at::Tensor& x, double sigma, double range);

/// Changes drawn anew in each step (Mordvintsev et al. 2015; Olah et al. 2017, "Transformation robustness").
struct Robustness {
  double jitter = 2;    ///< pixels that an image is moved by, at most, along each side
  double rotation = 5;  ///< degrees, at most
  double scale = 0.05;  ///< sides are multiplied by 1 - scale to 1 + scale
  double colour =
      0.05;  ///< contrast is multiplied by 1 - colour to 1 + colour; each channel brightens by -colour to colour

  bool moves() const { return jitter > 0 || rotation > 0 || scale > 0; }
};
/// One change for each image, bilinear, the edge repeated. Differentiable.
at::Tensor disturbed(const at::Tensor& x, const Robustness& robustness, at::Generator& generator);

/// How alike pictures of a group are: for each picture the mean over the others of the cosine between the matrices
/// of inner products of their channels (Olah et al. 2017, "Diversity"). texture: (G, P, channels, places) -> (G, P); 0 where P = 1.
at::Tensor likeness(const at::Tensor& texture);

}  // namespace whence::visualization
