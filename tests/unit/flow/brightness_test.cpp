#include "whence/explain/flow/brightness.h"

#include <gtest/gtest.h>

#include "unit/gce/toy_models.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::flow {
namespace {

/// Latent i adds to pixel i only, by its own amount: x_i = (w_i z_i + 4) / 8.
class WeightedDecoder final : public models::Decoder {
 public:
  explicit WeightedDecoder(std::vector<double> weights) : weights_(at::tensor(weights, at::kFloat)) {}
  at::Tensor decode(const at::Tensor& z) const override {
    return ((z * weights_ + 4) / 8).view({-1, 1, 1, 3});
  }
  std::int64_t latents() const override { return 3; }

 private:
  at::Tensor weights_;
};

data::Dataset random_images(std::int64_t n) {
  Generator generator = make_generator(4, "brightness/images");
  data::Dataset dataset;
  dataset.images = at::randint(0, 256, {n, 1, 1, 3}, generator, at::kLong).to(at::kByte);
  dataset.images.select(3, 2).fill_(77);  // a constant pixel, and with it a constant code
  dataset.labels = at::zeros({n}, at::kLong);
  dataset.class_names = {"any"};
  return dataset;
}

/// Pearson's correlation as its textbook formula, in double.
double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sx += x[i], sy += y[i];
    sxx += x[i] * x[i], syy += y[i] * y[i], sxy += x[i] * y[i];
  }
  return (n * sxy - sx * sy) / std::sqrt((n * sxx - sx * sx) * (n * syy - sy * sy));
}

TEST(Brightness, OfTestImagesIsTheirCodesCorrelation) {
  const data::Dataset dataset = random_images(1210);
  Generator generator = make_generator(5, "brightness");
  const auto result = factor_brightness(toy::Encoder(0), toy::Decoder(), dataset, 10, generator);
  ASSERT_EQ(result.size(), 3u);
  for (std::int64_t factor = 0; factor < 2; ++factor) {
    std::vector<double> codes, means;
    for (std::int64_t i = 0; i < dataset.size(); ++i) {
      const at::Tensor pixels = dataset.images[i].flatten().to(at::kDouble) / 255;
      codes.push_back(8 * pixels[factor].item<double>() - 4);
      means.push_back(pixels.sum().item<double>() / 3);
    }
    EXPECT_NEAR(result[static_cast<std::size_t>(factor)].encoded, pearson(codes, means), 1e-6) << factor;
  }
  EXPECT_EQ(result[2].encoded, 0);  // a constant code
}

TEST(Brightness, OfGeneratedImagesIsSignedAndKnown) {
  const std::vector<double> weights = {1.5, -2, 0};
  Generator generator = make_generator(5, "brightness");
  const std::int64_t draws = 20000;
  const auto result =
      factor_brightness(toy::Encoder(0), WeightedDecoder(weights), random_images(10), draws, generator);
  for (std::size_t i = 0; i < 3; ++i)  // w_i / |w|
    EXPECT_NEAR(result[i].generated, weights[i] / 2.5, 4 / std::sqrt(static_cast<double>(draws))) << i;

  Generator again = make_generator(5, "brightness");
  const at::Tensor z = at::randn({draws, 3}, again, at::kFloat);
  std::vector<double> factor, means;
  for (std::int64_t n = 0; n < draws; ++n) {
    const float* row = z.data_ptr<float>() + 3 * n;
    factor.push_back(row[1]);
    means.push_back((weights[0] * row[0] + weights[1] * row[1] + 12) / 24);
  }
  EXPECT_NEAR(result[1].generated, pearson(factor, means), 1e-6);
}

TEST(Brightness, WhatIsConstantCorrelatesWithNothing) {
  Generator generator = make_generator(5, "brightness");
  for (const FactorBrightness& factor :
       factor_brightness(toy::Encoder(0), WeightedDecoder({0, 0, 0}), random_images(10), 50, generator))
    EXPECT_EQ(factor.generated, 0);
}

TEST(Brightness, JsonNamesTheFactors) {
  const nlohmann::json json = to_json({{0.5, -0.25}}, {"alpha_1"}, 9);
  EXPECT_EQ(json,
            nlohmann::json::parse(
                R"({"draws": 9, "factors": [{"name": "alpha_1", "encoded": 0.5, "generated": -0.25}]})"));
}

TEST(Brightness, RefusesWhatTellsNothing) {
  Generator generator = make_generator(5, "brightness");
  EXPECT_THROW(factor_brightness(toy::Encoder(0), toy::Decoder(), random_images(10), 1, generator), Error);
  data::Dataset none = random_images(10);
  none.images = none.images.narrow(0, 0, 0);
  none.labels = none.labels.narrow(0, 0, 0);
  EXPECT_THROW(factor_brightness(toy::Encoder(0), toy::Decoder(), none, 10, generator), Error);
}

}  // namespace
}  // namespace whence::flow
