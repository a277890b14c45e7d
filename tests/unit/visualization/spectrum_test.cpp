// Spectra against the sum that defines them, in float64.
#include "whence/explain/visualization/spectrum.h"

#include <gtest/gtest.h>

#include <complex>
#include <numbers>

#include "support/errors.h"
#include "unit/visualization/cases.h"

namespace whence::visualization {
namespace {

using namespace known;

/// 1 / sqrt(HW) sum over pixels of x exp(-2 pi i (k row / H + l column / W)).
std::complex<double> coefficient(const at::Tensor& image, std::int64_t k, std::int64_t l) {
  const std::int64_t height = image.size(0), width = image.size(1);
  std::complex<double> sum = 0;
  for (std::int64_t row = 0; row < height; ++row)
    for (std::int64_t column = 0; column < width; ++column)
      sum += image[row][column].item<double>() *
             std::polar(1.0, -2 * std::numbers::pi *
                                 (static_cast<double>(k * row) / static_cast<double>(height) +
                                  static_cast<double>(l * column) / static_cast<double>(width)));
  return sum / std::sqrt(static_cast<double>(height * width));
}

constexpr std::pair<std::int64_t, std::int64_t> kSizes[] = {{4, 6}, {5, 7}, {6, 5}, {3, 4}};

TEST(Spectrum, IsTheFourierTransform) {
  for (const auto& [height, width] : kSizes) {
    const at::Tensor image = random_images({1, 1, height, width}).to(at::kDouble);
    const at::Tensor spectrum = to_spectrum(image);
    for (std::int64_t k = 0; k < height; ++k)
      for (std::int64_t l = 0; l <= width / 2; ++l) {
        const bool alone = l == 0 || 2 * l == width;
        const std::complex<double> expected = coefficient(image[0][0], k, l) * (alone ? 1.0 : std::sqrt(2.0));
        EXPECT_NEAR(spectrum[0][0][k][l][0].item<double>(), expected.real(), 1e-12);
        EXPECT_NEAR(spectrum[0][0][k][l][1].item<double>(), expected.imag(), 1e-12);
      }
  }
}

TEST(Spectrum, IsAnIsometryAndComesBack) {
  for (const auto& [height, width] : kSizes) {
    const at::Tensor a = random_images({2, 3, height, width}).to(at::kDouble),
                     b = random_images({2, 3, height, width}, 2).to(at::kDouble);
    const at::Tensor sa = to_spectrum(a), sb = to_spectrum(b);
    EXPECT_TRUE(at::allclose(from_spectrum(sa, width), a));
    EXPECT_NEAR(sa.norm().item<double>(), a.norm().item<double>(), 1e-12);
    EXPECT_NEAR((sa * sb).sum().item<double>(), (a * b).sum().item<double>(), 1e-10);
  }
}

/// The share of the variance that a pixel gets is 1, whatever the decay.
TEST(Spectrum, ScaledNoiseHasPixelsOfVarianceOne) {
  Generator generator = make_generator(4, "noise");
  for (const double decay : {0.0, 1.0, 2.0})
    for (const auto& [height, width] : kSizes) {
      const at::Tensor noise = at::randn({4000, 1, height, width / 2 + 1, 2}, generator, at::kDouble);
      const at::Tensor images =
          from_spectrum(noise * natural_scale(height, width, decay, at::kDouble), width);
      EXPECT_NEAR(images.square().mean().item<double>(), 1, 0.06) << decay << " " << height << "x" << width;
    }
}

TEST(Spectrum, FrequenciesAreCyclesAPixel) {
  const at::Tensor f = frequencies(4, 6, at::kDouble);
  EXPECT_EQ(f.sizes(), at::IntArrayRef({4, 4}));
  EXPECT_EQ(f[0][0].item<double>(), 0);
  EXPECT_NEAR(f[1][0].item<double>(), 0.25, 1e-12);
  EXPECT_NEAR(f[3][0].item<double>(), 0.25, 1e-12);
  EXPECT_NEAR(f[2][3].item<double>(), std::sqrt(0.5), 1e-12);
}

/// Fel et al. 2023: whatever the phases, the sizes are met.
TEST(Spectrum, PhasesKeepTheMagnitude) {
  for (const auto& [height, width] : kSizes) {
    const at::Tensor images = random_images({20, 1, height, width}).to(at::kDouble);
    at::Tensor magnitude = at::zeros({1, height, width / 2 + 1}, at::kDouble);
    for (std::int64_t k = 0; k < height; ++k)
      for (std::int64_t l = 0; l <= width / 2; ++l)
        for (std::int64_t i = 0; i < 20; ++i)
          magnitude[0][k][l] += std::abs(coefficient(images[i][0], k, l)) / 20;
    const at::Tensor phase = 6 * random_images({1, 1, height, width / 2 + 1}, 5).to(at::kDouble) - 3;
    const at::Tensor image = with_magnitude(magnitude, phase, width);
    for (std::int64_t k = 0; k < height; ++k)
      for (std::int64_t l = 0; l <= width / 2; ++l)
        EXPECT_NEAR(std::abs(coefficient(image[0][0], k, l)), magnitude[0][k][l].item<double>(), 1e-12);
    EXPECT_NEAR(image.mean().item<double>(), images.mean().item<double>(), 1e-12);
    // A value that stands for two keeps its phase.
    EXPECT_NEAR(std::arg(coefficient(image[0][0], 1, 1)), phase[0][0][1][1].item<double>(), 1e-9);
  }
}

TEST(Statistics, AreThoseOfTheImages) {
  // Channel 1 follows channel 0, so that colours correlate.
  at::Tensor images = random_images({30, 3, 4, 6});
  images.select(1, 1).copy_(0.5 * images.select(1, 0) + 0.1);
  const at::Tensor labels = at::arange(30, at::kLong).remainder(2);
  images.narrow(0, 0, 15).mul_(0.5);
  const ImageStatistics found = statistics_of(images, labels, 3);
  const at::Tensor pixels = images.transpose(0, 1).reshape({3, -1}).to(at::kDouble);
  EXPECT_TRUE(at::allclose(found.mean.to(at::kDouble), pixels.mean(1), 1e-5));
  at::Tensor covariance = at::zeros({3, 3}, at::kDouble);
  const at::Tensor mean = pixels.mean(1);
  for (std::int64_t i = 0; i < pixels.size(1); ++i) {
    const at::Tensor own = pixels.select(1, i) - mean;
    covariance += at::outer(own, own) / static_cast<double>(pixels.size(1));
  }
  covariance += 1e-4 * at::eye(3, at::kDouble);
  EXPECT_TRUE(at::allclose(found.colours.to(at::kDouble).matmul(found.colours.to(at::kDouble)), covariance,
                           1e-3, 1e-6));
  EXPECT_TRUE(at::allclose(found.colours, found.colours.t()));
  const at::Tensor plain =
      at::linalg_inv(found.colours).matmul(images.permute({0, 2, 3, 1}).reshape({-1, 3}).t());
  const at::Tensor channel = plain[2].view({30, 4, 6});
  double size = 0;
  for (std::int64_t i = 0; i < 30; ++i) size += std::abs(coefficient(channel[i], 1, 2)) / 30;
  EXPECT_NEAR(found.magnitude[2][1][2].item<double>(), size, 1e-3);
  const at::Tensor norms = images.flatten(1).norm(2, 1);
  EXPECT_NEAR(found.norm, norms.mean().item<double>(), 1e-5);
  EXPECT_NEAR(found.class_norms[1].item<double>(), norms.masked_select(labels.eq(1)).mean().item<double>(),
              1e-5);
  EXPECT_NEAR(found.class_norms[2].item<double>(), found.norm, 1e-5);  // no image of it
  EXPECT_TRUE(test::contains(test::error_of([&] { statistics_of(images.narrow(0, 0, 1)); }), "2 or more"));
}

}  // namespace
}  // namespace whence::visualization
