// The autoencoder with a linear path at its start: principal components in float64, and the variance of the least loss by search.
#include "whence/models/train/linear_start.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/errors.h"
#include "whence/core/random.h"
#include "whence/models/train/vae.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

using at::Tensor;

constexpr std::int64_t kLatents = 4;

/// Images of 3 x 8 x 8 that vary along five directions, most of it away from 0 and 1.
data::Dataset planted_images(std::int64_t count) {
  Generator generator = make_generator(5, "linear-start");
  const Tensor directions = std::get<0>(at::linalg_qr(at::randn({192, 5}, generator)));
  const Tensor deviations = at::tensor({1.2F, 0.9F, 0.6F, 0.4F, 0.2F});
  const Tensor rows = 0.5 + (at::randn({count, 5}, generator) * deviations).mm(directions.t());
  return {(rows.clamp(0, 1) * 255).round().to(at::kByte).view({count, 3, 8, 8}),
          at::zeros({count}, at::kLong),
          {"any"}};
}

struct Started {
  nn::Network encoder, decoder;
};

Started started(const Components& components, double kl_weight) {
  const AutoencoderShape shape{.image = {3, 8, 8}, .latents = kLatents, .width = 4};
  Started result{linear_path_encoder(shape), linear_path_decoder(shape)};
  initialise_autoencoder(result.encoder, result.decoder, InitialWeights::he, 1);
  start_linear_path(result.encoder, result.decoder, components, kl_weight);
  return result;
}

Components components_of(const data::Dataset& set, std::int64_t count) {
  Generator generator = make_generator(2, "linear-start/components");
  return principal_components(set, count, generator);
}

TEST(LinearStart, IsPrincipalComponents) {
  const data::Dataset set = planted_images(400);
  const Started own = started(components_of(set, kLatents), 0.01);
  const Tensor x = data::to_float(set), rows = x.flatten(1).to(at::kDouble), mean = rows.mean(0);
  const Tensor centred = rows - mean;
  const auto [values, vectors] = at::linalg_eigh(centred.t().mm(centred) / 400.0);
  const Tensor directions = vectors.flip(1).narrow(1, 0, kLatents);
  const Tensor expected = (mean + centred.mm(directions).mm(directions.t())).clamp(0, 1);
  const Tensor codes = own.encoder.forward(x);
  EXPECT_LT((own.decoder.forward(codes).flatten(1) - expected).abs().max().item<double>(), 1e-3);
  EXPECT_LT((codes.square().mean(0) - 1).abs().max().item<double>(), 1e-2);
}

/// SSE + w KL of the linear decoder is, in each latent's posterior variance s, v s + w (s - log s) / 2 and what does not depend on it.
TEST(LinearStart, ItsPosteriorHasTheLeastLoss) {
  const data::Dataset set = planted_images(400);
  const Components components = components_of(set, kLatents);
  for (const double weight : {0.01, 0.5}) {
    const Started own = started(components, weight);
    const Tensor log_variance = own.encoder.forward_all(data::to_float(set, 0, 1))[1][0];
    for (std::int64_t i = 0; i < kLatents; ++i) {
      const double v = components.variances[i].item<double>();
      double best = 1, least = 1e9;
      for (double s = 1; s > 1e-4; s *= 0.999) {
        const double loss = v * s + 0.5 * weight * (s - std::log(s));
        if (loss < least) least = loss, best = s;
      }
      EXPECT_NEAR(log_variance[i].item<double>(), std::log(best), 2e-3) << weight << " " << i;
    }
  }
}

TEST(LinearStart, LatentsBeyondTheComponentsHaveNoEffect) {
  const Started own = started(components_of(planted_images(400), 2), 0.01);
  Tensor codes = at::zeros({2, kLatents});
  codes[1].narrow(0, 2, 2).fill_(3);
  const Tensor decoded = own.decoder.forward(codes);
  EXPECT_TRUE(at::equal(decoded[0], decoded[1]));
}

TEST(LinearStart, OtherNetworksAreNamed) {
  const Components components = components_of(planted_images(50), 2);
  nn::Network encoder = cvae_encoder({.image = {1, 8, 8}, .latents = 2, .width = 2}),
              decoder = cvae_decoder({.image = {1, 8, 8}, .latents = 2, .width = 2});
  EXPECT_FALSE(has_linear_path(decoder));
  EXPECT_TRUE(test::contains(test::error_of([&] { start_linear_path(encoder, decoder, components, 1); }),
                             "has no linear path"));
  const AutoencoderShape large{.image = {3, 16, 16}, .latents = 2, .width = 4};
  nn::Network wide = linear_path_encoder(large), image = linear_path_decoder(large);
  EXPECT_TRUE(has_linear_path(image));
  EXPECT_TRUE(test::contains(test::error_of([&] { start_linear_path(wide, image, components, 1); }),
                             "must be the same"));
}

}  // namespace
}  // namespace whence::models
