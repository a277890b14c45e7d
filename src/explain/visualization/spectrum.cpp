#include "whence/explain/visualization/spectrum.h"

#include <ATen/ATen.h>

#include "whence/core/error.h"

namespace whence::visualization {
namespace {

constexpr const char* kNorm = "ortho";
/// Added to the variances of colours: data whose channels are equal have a singular covariance.
constexpr double kLeastVariance = 1e-4;

/// sqrt(2) for the columns whose mirror images are left out, else 1: (W / 2 + 1).
at::Tensor column_weights(std::int64_t width, const at::TensorOptions& options) {
  at::Tensor weights = at::full({width / 2 + 1}, std::sqrt(2.0), options);
  weights[0] = 1;
  if (width % 2 == 0) weights[width / 2] = 1;
  return weights;
}

/// Half the difference between each phase and that of its mirror image (-row), in the columns that hold both.
at::Tensor mirrored(const at::Tensor& phase, std::int64_t width) {
  const at::Tensor opposite = phase.flip({2}).roll({1}, {2});
  at::Tensor own = at::zeros({width / 2 + 1}, phase.options());
  own[0] = 1;
  if (width % 2 == 0) own[width / 2] = 1;
  return at::where(own > 0, 0.5 * (phase - opposite), phase);
}

}  // namespace

at::Tensor to_spectrum(const at::Tensor& images) {
  const at::Tensor spectrum =
      at::view_as_real(at::fft_rfft2(images, at::OptionalIntArrayRef(), {-2, -1}, kNorm));
  return spectrum * column_weights(images.size(3), images.options()).unsqueeze(1);
}

at::Tensor from_spectrum(const at::Tensor& spectrum, std::int64_t width) {
  const at::Tensor halves = spectrum / column_weights(width, spectrum.options()).unsqueeze(1);
  const std::vector<std::int64_t> size = {spectrum.size(2), width};
  return at::fft_irfft2(at::view_as_complex(halves.contiguous()), size, {-2, -1}, kNorm);
}

at::Tensor frequencies(std::int64_t height, std::int64_t width, const at::TensorOptions& options) {
  return (at::fft_fftfreq(height, 1.0, options).square().unsqueeze(1) +
          at::fft_rfftfreq(width, 1.0, options).square())
      .sqrt();
}

at::Tensor natural_scale(std::int64_t height, std::int64_t width, double decay,
                         const at::TensorOptions& options) {
  const double least = 1.0 / static_cast<double>(std::max(height, width));
  const at::Tensor scale = frequencies(height, width, options).clamp_min(least).pow(-decay);
  // Both parts of a value are normal numbers; from_spectrum halves the power of the columns that stand for two, which there
  // are two of, and drops half of the others' power.
  const double power = scale.square().sum().item<double>();
  const auto halves = scale.select(1, 0).square().sum().item<double>() +
                      (width % 2 == 0 ? scale.select(1, width / 2).square().sum().item<double>() : 0.0);
  const double variance = (2 * power - halves) / static_cast<double>(height * width);
  return (scale / std::sqrt(variance)).unsqueeze(2);
}

at::Tensor with_magnitude(const at::Tensor& magnitude, const at::Tensor& phase, std::int64_t width) {
  const at::Tensor own = mirrored(phase, width);
  const at::Tensor spectrum = at::complex(magnitude * own.cos(), magnitude * own.sin());
  const std::vector<std::int64_t> size = {phase.size(2), width};
  return at::fft_irfft2(spectrum, size, {-2, -1}, kNorm);
}

at::Tensor recoloured(const at::Tensor& images, const at::Tensor& matrix) {
  return at::einsum("ij,njhw->nihw", {matrix, images});
}

ImageStatistics statistics_of(const at::Tensor& images, const at::Tensor& labels, std::int64_t classes) {
  if (images.size(0) < 2)
    fail("the data have {} image; their colours and spectra need 2 or more", images.size(0));
  const at::NoGradGuard no_grad;
  ImageStatistics result;
  const std::int64_t channels = images.size(1);
  const at::Tensor pixels = images.transpose(0, 1).reshape({channels, -1}).to(at::kDouble);
  const at::Tensor mean = pixels.mean(1, /*keepdim=*/true), centred = pixels - mean;
  const at::Tensor covariance = centred.matmul(centred.t()) / static_cast<double>(pixels.size(1)) +
                                kLeastVariance * at::eye(channels, pixels.options());
  const auto [values, vectors] = at::linalg_eigh(covariance);
  const at::Tensor root = (vectors * values.sqrt()).matmul(vectors.t()),
                   inverse = (vectors / values.sqrt()).matmul(vectors.t());
  result.mean = mean.squeeze(1).to(images.scalar_type());
  result.colours = root.to(images.scalar_type());
  const at::Tensor plain = recoloured(images, inverse.to(images.scalar_type()));
  const at::Tensor spectra = at::fft_rfft2(plain, at::OptionalIntArrayRef(), {-2, -1}, kNorm);
  result.magnitude = spectra.abs().mean(0);
  result.magnitude.select(2, 0).select(1, 0).copy_(at::real(spectra).select(3, 0).select(2, 0).mean(0));
  const at::Tensor norms = images.flatten(1).norm(2, 1);
  result.norm = norms.mean().item<double>();
  if (!labels.defined()) return result;
  result.class_norms = at::full({classes}, result.norm, images.options());
  for (std::int64_t label = 0; label < classes; ++label)
    if (const at::Tensor own = labels.eq(label).nonzero().squeeze(1); own.size(0) > 0)
      result.class_norms[label] = norms.index_select(0, own).mean();
  return result;
}

}  // namespace whence::visualization
