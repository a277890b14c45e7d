#include "whence/explain/flow/brightness.h"

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/platform/device.h"

namespace whence::flow {
namespace {

/// Below this standard deviation, float32 images and codes are constant.
constexpr double kConstantSpread = 1e-6;

/// Correlation of each column (n, D) with `values` (n), float64.
at::Tensor correlations(const at::Tensor& columns, const at::Tensor& values) {
  const at::Tensor x = columns - columns.mean(0, true), y = values - values.mean();
  const at::Tensor spread_x = x.square().mean(0).sqrt(), spread_y = y.square().mean().sqrt();
  const at::Tensor constant = spread_x.le(kConstantSpread).logical_or(spread_y.le(kConstantSpread));
  const at::Tensor covariance = x.t().mv(y) / static_cast<double>(values.size(0));
  return at::where(constant, 0.0, covariance / (spread_x * spread_y).clamp_min(1e-300));
}

at::Tensor mean_intensity(const at::Tensor& images) { return images.to(at::kDouble).flatten(1).mean(1); }

}  // namespace

std::vector<FactorBrightness> factor_brightness(const models::Encoder& encoder,
                                                const models::Decoder& decoder, const data::Dataset& dataset,
                                                std::int64_t draws, at::Generator& generator) {
  if (dataset.size() == 0) fail("there are no images to measure on");
  if (encoder.latents() != decoder.latents())
    fail("the encoder has {} latents and the decoder {}; they must belong to one model", encoder.latents(),
         decoder.latents());
  if (draws < 2)
    fail_usage("{} draws are too few to measure a correlation with brightness; give 2 or more", draws);
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> means, seen, made;
  for_batches(dataset.size(), kBatch, [&](std::int64_t first, std::int64_t count) {
    const at::Tensor images = data::to_float(dataset, first, count, encoder.device());
    means.push_back(encoder.encode(images).mean.to(at::kDouble));
    seen.push_back(mean_intensity(images));
  });
  const at::Tensor z =
      at::randn({draws, decoder.latents()}, generator, draws_of(generator)).to(decoder.device());
  for_batches(draws, kBatch, [&](std::int64_t first, std::int64_t count) {
    made.push_back(mean_intensity(decoder.decode(z.narrow(0, first, count))));
  });

  const at::Tensor encoded = correlations(at::cat(means), at::cat(seen));
  const at::Tensor generated = correlations(z.to(at::kDouble), at::cat(made));
  std::vector<FactorBrightness> brightness;
  for (std::int64_t i = 0; i < decoder.latents(); ++i)
    brightness.push_back({encoded[i].item<double>(), generated[i].item<double>()});
  return brightness;
}

nlohmann::json to_json(const std::vector<FactorBrightness>& brightness, const std::vector<std::string>& names,
                       std::int64_t draws) {
  TORCH_CHECK(brightness.size() == names.size(), brightness.size(), " factors have ", names.size(), " names");
  nlohmann::json factors = nlohmann::json::array();
  for (std::size_t i = 0; i < names.size(); ++i)
    factors.push_back(
        {{"name", names[i]}, {"encoded", brightness[i].encoded}, {"generated", brightness[i].generated}});
  return {{"draws", draws}, {"factors", std::move(factors)}};
}

}  // namespace whence::flow
