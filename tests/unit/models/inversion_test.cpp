// Encoders for decoders that stay as they are, where the best encoder is known in closed form.
#include "whence/models/train/inversion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "support/errors.h"
#include "support/files.h"
#include "whence/core/random.h"
#include "whence/models/train/vae_loss.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

using at::Tensor;
using whence::test::contains;
using whence::test::error_of;

/// g(z) = A z + b, A (pixels, latents), as images (1, 1, pixels).
nn::Network linear_decoder(const Tensor& a, const Tensor& b) {
  nn::Network network("linear", {a.size(1)});
  network.add("linear", nn::Linear{a.size(0)});
  network.add("image", nn::Reshape{{1, 1, a.size(0)}});
  const at::NoGradGuard no_gradients;
  const nn::NamedTensors own = network.parameters();
  own[0].tensor.copy_(a);
  own[1].tensor.copy_(b);
  return network;
}

/// Mean and log-variance are linear in the pixels, which holds the best encoders of a linear decoder.
nn::Network linear_encoder(std::int64_t pixels, std::int64_t latents) {
  nn::Network network("linear-encoder", {1, 1, pixels});
  network.add("pixels", nn::Flatten{});
  network.add("mean", nn::Linear{latents}, {"pixels"});
  network.add("log_variance", nn::Linear{latents}, {"pixels"});
  network.set_outputs({"mean", "log_variance"});
  return network;
}

data::Dataset grey_images(std::int64_t count, std::int64_t pixels) {
  Generator generator = make_generator(7, "inversion-test");
  return {at::randint(0, 256, {count, 1, 1, pixels}, generator, at::kByte),
          at::zeros({count}, at::kLong),
          {"only"}};
}

InverseTraining long_inverse() {
  InverseTraining options;
  options.steps = 4000;
  options.batch = 64;
  options.learning_rate = 2e-2;
  options.seed = 3;
  return options;
}

const Tensor kA = at::tensor({1.0, 0.4, -0.6, 0.8, 0.3, 1.2, 0.5, -0.2}).view({4, 2}).to(at::kFloat);
const Tensor kB = at::tensor({0.5, 0.4, 0.6, 0.5}).to(at::kFloat);

/// SSE + w KL of a linear decoder is least at the mean (A'A + w/2 I)^-1 A'(x - b), and at the variances w / (2 (A'A)_ii + w).
TEST(InverseTraining, FindsThePosteriorOfALinearDecoder) {
  for (const double weight : {1.0, 4.0}) {
    const auto decoder = as_decoder(linear_decoder(kA, kB));
    nn::Network encoder = linear_encoder(4, 2);
    InverseTraining options = long_inverse();
    options.kl_weight = weight;
    options.sleep_weight = 0;
    const data::Dataset train = grey_images(256, 4);
    train_inverse(encoder, *decoder, train, options);
    const Tensor images = data::to_float(train, 0, 64);
    const Posterior found = as_encoder(encoder)->encode(images);
    const Tensor gram = kA.t().mm(kA), eye = at::eye(2);
    const Tensor code = (images.flatten(1) - kB).mm(kA).mm(at::linalg_inv(gram + weight / 2 * eye));
    EXPECT_LT((found.mean - code).abs().max().item<double>(), 0.05) << weight;
    const Tensor variance = weight / (2 * gram.diagonal() + weight);
    EXPECT_LT((found.log_variance - variance.log()).abs().max().item<double>(), 0.1) << weight;
  }
}

/// One pixel of two latents, g(z) = a'z: the posterior of a sample's code has the mean a x / |a|^2 and the covariance I - a a' / |a|^2.
TEST(InverseTraining, TheSleepPhaseFindsThePosteriorOfItsOwnSamples) {
  const Tensor a = at::tensor({0.6, 0.8}).to(at::kFloat);
  const auto decoder = as_decoder(linear_decoder(a.view({1, 2}), at::zeros({1})));
  nn::Network encoder = linear_encoder(1, 2);
  InverseTraining options = long_inverse();
  options.kl_weight = 0;
  options.sleep_weight = 1e4;  // next to nothing of the images is left
  options.batch = 256;
  train_inverse(encoder, *decoder, grey_images(256, 1), options);
  const Tensor images = at::tensor({-1.0, 0.0, 0.7, 1.3}).to(at::kFloat).view({4, 1, 1, 1});
  const Posterior found = as_encoder(encoder)->encode(images);
  EXPECT_LT((found.mean - images.flatten(1) * a).abs().max().item<double>(), 0.05);
  EXPECT_LT((found.log_variance - (1 - a.square()).log()).abs().max().item<double>(), 0.15);
}

TEST(InverseTraining, TheSleepPhaseIsANormalDensity) {
  const Tensor mean = at::tensor({0.5, -1.0}).view({1, 2}),
               log_variance = at::tensor({0.2, -0.4}).view({1, 2}), z = at::tensor({1.5, 0.3}).view({1, 2});
  double expected = 0;
  for (std::int64_t i = 0; i < 2; ++i) {
    const double deviation = std::exp(log_variance[0][i].item<double>() / 2);
    const double t = (z[0][i].item<double>() - mean[0][i].item<double>()) / deviation;
    expected -= std::log(std::exp(-t * t / 2) / (deviation * std::sqrt(2 * std::numbers::pi)));
  }
  EXPECT_NEAR(negative_log_density(mean, log_variance, z).item<double>(), expected, 1e-6);
}

struct Small {
  nn::Network decoder = upsampling_decoder({.image = {1, 8, 8}, .latents = 3, .width = 4});
  nn::Network encoder = upsampling_encoder({.image = {1, 8, 8}, .latents = 3, .width = 4});
  Small() {
    Generator weights = make_generator(5, "inversion-test/weights");
    nn::initialise(decoder, {.convolution_deviation = 0.2}, weights);
  }
};

data::Dataset small_images() {
  Generator generator = make_generator(9, "inversion-test/images");
  return {at::randint(0, 256, {128, 1, 8, 8}, generator, at::kByte), at::zeros({128}, at::kLong), {"only"}};
}

InverseTraining short_inverse() {
  InverseTraining options;
  options.steps = 20;
  options.batch = 16;
  options.seed = 3;
  return options;
}

/// The decoder and the encoder have batch norms.
TEST(InverseTraining, ResumedTrainingEndsWithTheBitsOfUninterruptedTraining) {
  const test::TemporaryFolder folder;
  Small whole, parts;
  const auto decoder = as_decoder(whole.decoder);
  InverseTraining options = short_inverse();
  train_inverse(whole.encoder, *decoder, small_images(), options);
  options.checkpoint = folder / "checkpoint.safetensors";
  std::int64_t seen = 0;
  const ProgressCallback stop = [&](const Progress& now) {
    EXPECT_EQ(now.stage, "encoder");
    ++seen;
    if (now.step == 7) throw Error("interrupted", ExitCode::interrupted);
  };
  EXPECT_THROW(train_inverse(parts.encoder, *decoder, small_images(), options, stop), Error);
  train_inverse(parts.encoder, *decoder, small_images(), options, [&](const Progress&) { ++seen; });
  EXPECT_EQ(seen, 20);
  const nn::NamedTensors one = whole.encoder.state(), other = parts.encoder.state();
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_TRUE(at::equal(one[i].tensor, other[i].tensor)) << one[i].name;
}

/// A checkpoint belongs to one decoder: that of another is not gone on with.
TEST(InverseTraining, AnotherDecoderBeginsAnew) {
  const test::TemporaryFolder folder;
  Small first;
  InverseTraining options = short_inverse();
  options.checkpoint = folder / "checkpoint.safetensors";
  const ProgressCallback stop = [](const Progress& now) {
    if (now.step == 7) throw Error("interrupted", ExitCode::interrupted);
  };
  EXPECT_THROW(train_inverse(first.encoder, *as_decoder(first.decoder), small_images(), options, stop),
               Error);
  Small other;
  other.decoder.parameters().front().tensor.detach().mul_(1.5);
  std::int64_t seen = 0;
  train_inverse(other.encoder, *as_decoder(other.decoder), small_images(), options,
                [&](const Progress&) { ++seen; });
  EXPECT_EQ(seen, 20);
}

TEST(InverseTraining, LeavesTheDecoderAndItsBatchNormsAsTheyAre) {
  Small small;
  const auto decoder = as_decoder(small.decoder);
  std::vector<Tensor> before;
  for (const nn::NamedTensor& own : small.decoder.state()) before.push_back(own.tensor.detach().clone());
  for (const nn::NamedTensor& own : decoder->network()->state())
    before.push_back(own.tensor.detach().clone());
  const Tensor code = at::ones({1, 3}), image = decoder->decode(code).detach().clone();
  train_inverse(small.encoder, *decoder, small_images(), short_inverse());
  std::size_t i = 0;
  for (const nn::NamedTensor& own : small.decoder.state())
    EXPECT_TRUE(at::equal(own.tensor, before[i++])) << own.name;
  for (const nn::NamedTensor& own : decoder->network()->state())
    EXPECT_TRUE(at::equal(own.tensor, before[i++])) << own.name;
  EXPECT_TRUE(at::equal(decoder->decode(code), image));
}

TEST(InverseTraining, TellsItsTermsByName) {
  Small small;
  InverseTraining options = short_inverse();
  options.kl_weight = 2;
  options.sleep_weight = 3;
  Progress last;
  const auto keep = [&](const Progress& now) { last = now; };
  train_inverse(small.encoder, *as_decoder(small.decoder), small_images(), options, keep);
  ASSERT_EQ(last.values.size(), 4U);
  EXPECT_EQ(last.values[2].first, "sleep");
  const auto& values = last.values;
  EXPECT_NEAR(values[3].second, values[0].second + 2 * values[1].second + 3 * values[2].second, 1e-6);
  options.sleep_weight = 0;
  train_inverse(small.encoder, *as_decoder(small.decoder), small_images(), options, keep);
  EXPECT_EQ(last.values.size(), 3U);
}

/// A decoder without gradients.
class Deaf final : public Decoder {
 public:
  Tensor decode(const Tensor& z) const override { return at::zeros({z.size(0), 1, 8, 8}); }
  std::int64_t latents() const override { return 3; }
};

TEST(InverseTraining, ModelsThatDoNotFitAreNamed) {
  Small small;
  nn::Network wide = upsampling_encoder({.image = {1, 8, 8}, .latents = 4, .width = 4});
  nn::Network large = upsampling_encoder({.image = {1, 16, 16}, .latents = 3, .width = 4});
  const auto error = [&](nn::Network& encoder, const Decoder& decoder) {
    return error_of([&] { train_inverse(encoder, decoder, small_images(), short_inverse()); });
  };
  EXPECT_TRUE(contains(error(wide, *as_decoder(small.decoder)), "log-variance of 3 latents"));
  EXPECT_TRUE(contains(error(large, *as_decoder(small.decoder)), "1x8x8, but the encoder takes 1x16x16"));
  EXPECT_TRUE(contains(error(small.encoder, Deaf()), "passes no gradients"));
}

}  // namespace
}  // namespace whence::models
