// Images as spectra, and what is known of the images of a data set: their colours, spectra and norms.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace whence::visualization {

/// The real spectrum of images: (N, C, H, W) -> (N, C, H, W / 2 + 1, 2), real and imaginary parts of the orthonormal discrete
/// Fourier transform. Frequencies that stand for two (their mirror images are left out) are larger by sqrt(2), so that images and
/// spectra have the same norms and inner products. Differentiable.
at::Tensor to_spectrum(const at::Tensor& images);
/// The images (N, C, H, width) of spectra; the inverse of to_spectrum, and of the same size where a spectrum is one of images.
at::Tensor from_spectrum(const at::Tensor& spectrum, std::int64_t width);

/// Frequencies of to_spectrum's values in cycles a pixel, (H, W / 2 + 1): 0 to sqrt(1/2).
at::Tensor frequencies(std::int64_t height, std::int64_t width, const at::TensorOptions& options);
/// Factors s(f) ~ 1 / max(f, 1 / max(H, W))^decay, scaled so that independent normal numbers times s are the spectrum of images
/// whose pixels have variance 1 (Olah et al. 2017, "Preconditioning and parameterization"). (H, W / 2 + 1, 1).
at::Tensor natural_scale(std::int64_t height, std::int64_t width, double decay,
                         const at::TensorOptions& options);

/// The images (N, C, H, width) whose spectrum has the sizes `magnitude` (C, H, W / 2 + 1) and the phases `phase` (N, C, H, W / 2 + 1) in
/// radians (Fel et al. 2023, "Unlocking feature visualization for deeper networks with magnitude constrained optimization", section 3).
/// Where two values of a spectrum are mirror images of each other, half the difference of their phases counts, so that the
/// sizes are met exactly. The mean takes the sign of its `magnitude`. Differentiable in `phase`.
at::Tensor with_magnitude(const at::Tensor& magnitude, const at::Tensor& phase, std::int64_t width);

/// What images of a data set have in common.
struct ImageStatistics {
  at::Tensor mean;     ///< (C)
  at::Tensor colours;  ///< (C, C): the symmetric root of the covariance of colours over all pixels
  at::Tensor
      magnitude;  ///< (C, H, W / 2 + 1): the mean size of the spectrum of colours^-1 x; its first value keeps the sign
  double norm = 0;         ///< mean Euclidean norm of an image
  at::Tensor class_norms;  ///< (M), of the images of each class; undefined without labels
};
/// images (N, C, H, W); labels int64 (N) of 0 .. classes - 1, or undefined. Error: fewer than two images.
ImageStatistics statistics_of(const at::Tensor& images, const at::Tensor& labels = {},
                              std::int64_t classes = 0);

/// matrix (C, C) times the colours of each pixel.
at::Tensor recoloured(const at::Tensor& images, const at::Tensor& matrix);

}  // namespace whence::visualization
