#include <gtest/gtest.h>

#include "unit/gce/toy_models.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/flow/ablation.h"
#include "whence/explain/flow/sweep.h"
#include "whence/models/train/classifier.h"

namespace whence::flow {
namespace {

const toy::Decoder kThreeLatents;

/// n images of random bytes, labelled by their first pixel; every tenth label is wrong.
data::Dataset images(std::int64_t n) {
  at::Generator generator = make_generator(1, "images");
  data::Dataset dataset;
  dataset.images = at::randint(0, 256, {n, 1, 1, 3}, generator, at::kLong).to(at::kByte);
  dataset.labels = (dataset.images.flatten(1).select(1, 0) > 127).to(at::kLong);
  for (std::int64_t i = 0; i < n; i += 10) dataset.labels[i] = 1 - dataset.labels[i];
  dataset.class_names = {"dark", "bright"};
  return dataset;
}

TEST(Sweep, MovesOneFactorOnly) {
  const at::Tensor codes = at::tensor({0.5F, -1.0F, 0.25F, -0.5F, 2.0F, 1.0F}).view({2, 3});
  const std::vector<double> values = even_steps(-3, 3, 7);
  const Sweep result = sweep(kThreeLatents, toy::first_pixel(1.5), codes, 1, values);
  EXPECT_EQ(result.factor, 1);
  EXPECT_EQ(result.values, values);
  ASSERT_EQ(result.images.sizes(), at::IntArrayRef({2, 7, 1, 1, 3}));
  ASSERT_EQ(result.probabilities.sizes(), at::IntArrayRef({2, 7, 2}));
  EXPECT_EQ(result.images.scalar_type(), at::kFloat);
  for (std::int64_t s = 0; s < 2; ++s)
    for (std::int64_t v = 0; v < 7; ++v) {
      const at::Tensor pixels = result.images[s][v].flatten();
      for (std::int64_t i = 0; i < 3; ++i) {
        const double z = codes[s][i].item<double>() + (i == 1 ? static_cast<double>(v) - 3 : 0);
        EXPECT_NEAR(pixels[i].item<double>(), (z + 4) / 8, 1e-6);
      }
      const double p = 1 / (1 + std::exp(-1.5 * codes[s][0].item<double>()));
      EXPECT_NEAR(result.probabilities[s][v][1].item<double>(), p, 1e-6);
      EXPECT_NEAR(result.probabilities[s][v].sum().item<double>(), 1, 1e-6);
    }
}

TEST(Sweep, FlipsTheClassWhereTheFactorCrossesZero) {
  const Sweep result =
      sweep(kThreeLatents, toy::first_pixel(), at::full({1, 3}, 0.5), 0, even_steps(-2, 2, 101));
  const at::Tensor classes = result.probabilities[0].argmax(1);
  for (std::int64_t v = 0; v < 101; ++v)
    EXPECT_EQ(classes[v].item<std::int64_t>(), result.values[static_cast<std::size_t>(v)] > -0.5 ? 1 : 0)
        << v;
}

TEST(Sweep, LeavesTheCodesAlone) {
  const at::Tensor codes = at::zeros({700, 3});
  EXPECT_EQ(sweep(kThreeLatents, toy::first_pixel(), codes, 2, {-1, 1}).images.size(0), 700);
  EXPECT_TRUE(codes.eq(0).all().item<bool>());
}

TEST(Sweep, RefusesWrongUse) {
  const toy::Classifier classifier = toy::first_pixel();
  for (const std::int64_t factor : {-1, 3})
    EXPECT_THROW(sweep(kThreeLatents, classifier, at::zeros({1, 3}), factor, {0}), Error);
  EXPECT_THROW(sweep(kThreeLatents, classifier, at::zeros({1, 3}), 0, {}), Error);
  EXPECT_THROW(even_steps(0, 1, 0), Error);
  EXPECT_THROW(even_steps(0, std::nan(""), 3), Error);
}

TEST(EvenSteps, ReachBothEnds) {
  EXPECT_EQ(even_steps(-3, 3, 7), (std::vector<double>{-3, -2, -1, 0, 1, 2, 3}));
  EXPECT_EQ(even_steps(2, 5, 1), std::vector<double>{2});
  const std::vector<double> strip = even_steps(-0.1, 0.7, 26);
  EXPECT_EQ(strip.size(), 26U);
  EXPECT_EQ(strip.front(), -0.1);
  EXPECT_EQ(strip.back(), 0.7);
}

TEST(Accuracy, CountsAllBatches) {
  EXPECT_DOUBLE_EQ(accuracy(toy::first_pixel(), images(1210)), 0.9);
  EXPECT_DOUBLE_EQ(accuracy(toy::first_pixel(), images(10)), 0.9);
}

TEST(Ablation, ChargesOnlyTheFactorThatTheClassifierUses) {
  const data::Dataset dataset = images(1210);
  at::Generator generator = make_generator(2, "ablation");
  const Ablation result = ablate(toy::Encoder(-60), kThreeLatents, toy::first_pixel(), dataset, generator);
  EXPECT_EQ(result.samples, 1210);
  EXPECT_DOUBLE_EQ(result.original, 0.9);
  EXPECT_DOUBLE_EQ(result.reencoded, 0.9);
  ASSERT_EQ(result.replaced.size(), 3U);
  EXPECT_NEAR(result.replaced[0], 0.5, 4 * 0.5 / std::sqrt(1210.0));
  EXPECT_NE(result.replaced[0], 0.5);
  EXPECT_DOUBLE_EQ(result.replaced[1], 0.9);
  EXPECT_DOUBLE_EQ(result.replaced[2], 0.9);
}

TEST(Ablation, SeesWhatTheEncoderLoses) {
  const data::Dataset dataset = images(1210);
  at::Generator generator = make_generator(2, "ablation");
  const Ablation result =
      ablate(toy::Encoder(-60, true), kThreeLatents, toy::first_pixel(), dataset, generator);
  // The encoder turns round the images whose third pixel is bright, which makes right answers wrong and the
  // reverse.
  const at::Tensor pixels = dataset.images.flatten(1).gt(127);
  const at::Tensor answer = pixels.select(1, 0).logical_xor(pixels.select(1, 2));
  EXPECT_DOUBLE_EQ(result.reencoded,
                   answer.eq(dataset.labels.to(at::kBool)).to(at::kDouble).mean().item<double>());
  EXPECT_DOUBLE_EQ(result.original, 0.9);
  EXPECT_DOUBLE_EQ(result.replaced[1], result.reencoded);
}

TEST(Ablation, RepeatsItselfForASeed) {
  const auto run = [](std::uint64_t seed) {
    at::Generator generator = make_generator(seed, "ablation");
    return ablate(toy::Encoder(-60), kThreeLatents, toy::first_pixel(), images(300), generator).replaced[0];
  };
  EXPECT_EQ(run(2), run(2));
  EXPECT_NE(run(2), run(3));
}

TEST(Ablation, TellsHowFarItIsAndStopsWhenTheWatcherThrows) {
  std::vector<std::int64_t> steps;
  at::Generator generator = make_generator(2, "ablation");
  const auto watched = [&](std::size_t last) {
    ablate(toy::Encoder(-60), kThreeLatents, toy::first_pixel(), images(1210), generator,
           [&](const Progress& progress) {
             EXPECT_EQ(progress.total, 3);
             steps.push_back(progress.step);
             if (steps.size() == last) throw Error("stopped", ExitCode::interrupted);
           });
  };
  watched(0);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 2, 3}));
  steps.clear();
  EXPECT_THROW(watched(2), Error);
  EXPECT_EQ(steps.size(), 2U);
}

TEST(Ablation, RefusesWhatDoesNotFit) {
  at::Generator generator = make_generator(2, "ablation");
  data::Dataset three = images(10);
  three.class_names = {"a", "b", "c"};
  EXPECT_THROW(ablate(toy::Encoder(0), kThreeLatents, toy::first_pixel(), three, generator), Error);
  EXPECT_THROW(accuracy(toy::first_pixel(), three), Error);
  data::Dataset none = images(10);
  none.images = none.images.narrow(0, 0, 0);
  none.labels = none.labels.narrow(0, 0, 0);
  EXPECT_THROW(accuracy(toy::first_pixel(), none), Error);
}

TEST(Fidelity, IsExactForACertainPosterior) {
  const data::Dataset dataset = images(1210);
  at::Generator generator = make_generator(3, "fidelity");
  const double log_variance = -30;
  const Fidelity result = fidelity(toy::Encoder(log_variance), kThreeLatents, dataset, generator);
  EXPECT_NEAR(result.sse, 0, 1e-9);
  const at::Tensor mean = 8 * dataset.images.flatten(1).to(at::kDouble) / 255 - 4;
  const double kl =
      0.5 * (mean.square().sum(1).mean().item<double>() + 3 * (std::exp(log_variance) - 1 - log_variance));
  EXPECT_NEAR(result.kl, kl, 1e-4);
  const at::Tensor of_each = 0.5 * mean.square().sum(1);  // the rest is the same for every image
  EXPECT_NEAR(result.se, of_each.std().item<double>() / std::sqrt(1210.0), 1e-6);
}

TEST(Fidelity, DrawsCodesFromThePosterior) {
  at::Generator generator = make_generator(3, "fidelity");
  const double variance = 0.25;
  const Fidelity result = fidelity(toy::Encoder(std::log(variance)), kThreeLatents, images(1210), generator);
  const double expected = 3 * variance / 64;  // three pixels, each (z + 4) / 8
  EXPECT_NEAR(result.sse, expected, 4 * expected * std::sqrt(2.0 / (3 * 1210)));
}

}  // namespace
}  // namespace whence::flow
