// Image translation: the formula, the network, the loss's gradient, and a training whose right answer is known.
#include "whence/models/train/translation.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/meta.h"
#include "whence/core/random.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

using at::Tensor;

Tensor random_images(at::IntArrayRef sizes, std::uint64_t seed = 1) {
  Generator generator = make_generator(seed, "translation-test");
  return at::rand(sizes, generator);
}

nn::Network random_translator(const TranslatorOptions& options, std::uint64_t seed = 1) {
  nn::Network network = translator_network(options);
  Generator generator = make_generator(seed, "translation-test/weights");
  nn::initialise(network, {}, generator);
  return network;
}

Tensor parameter_named(const nn::Network& network, const std::string& name) {
  for (const nn::NamedTensor& own : network.parameters())
    if (own.name == name) return own.tensor;
  throw std::runtime_error("no " + name);
}

TEST(TranslatorNetwork, KeepsTheSidesOfImages) {
  for (const nn::Shape& image : {nn::Shape{1, 28, 28}, nn::Shape{3, 32, 24}, nn::Shape{3, 8, 12}}) {
    const nn::Network network = translator_network({.image = image, .classes = 3, .width = 4});
    EXPECT_EQ(network.input_shape(), (nn::Shape{image[0] + 3, image[1], image[2]}));
    EXPECT_EQ(network.output_shape(), (nn::Shape{image[0] + 1, image[1], image[2]}));
  }
  const auto refused = [] { translator_network({.image = {1, 30, 28}, .classes = 2}); };
  EXPECT_TRUE(test::contains(test::usage_error_of(refused), "the translator needs images"));
  const nn::Network judge =
      dcgan_discriminator({.image = {3, 16, 16}, .width = 8, .batch_norm = false, .scores = 5});
  EXPECT_EQ(judge.output_shape(), nn::Shape{5});
}

TEST(Translate, IsTheMixtureByTheMask) {
  const nn::Network network = random_translator({.image = {3, 8, 8}, .classes = 2, .width = 4});
  const Tensor x = random_images({5, 3, 8, 8}), weights = random_images({5, 2}, 2);
  const Translation found = translate(network, x, weights);
  const Tensor planes = weights.view({5, 2, 1, 1}).expand({5, 2, 8, 8});
  const Tensor made = network.forward(at::cat({x, planes}, 1));
  const Tensor mask = made.narrow(1, 3, 1), colours = made.narrow(1, 0, 3);
  EXPECT_TRUE(at::allclose(found.images, (1 - mask) * x + mask * colours, 1e-5, 1e-6));
  EXPECT_EQ(found.mask.sizes(), (at::IntArrayRef{5, 1, 8, 8}));
  EXPECT_GT(found.mask.min().item<double>(), 0);
  EXPECT_LT(found.mask.max().item<double>(), 1);
}

/// Bits, not nearly.
TEST(Translate, WithAMaskOfZeroIsTheIdentity) {
  const nn::Network network = random_translator({.image = {1, 8, 8}, .classes = 2, .width = 4});
  const at::NoGradGuard no_grad;
  parameter_named(network, "image.weight").narrow(0, 1, 1).zero_();
  parameter_named(network, "image.bias").narrow(0, 1, 1).fill_(-200);
  const Tensor x = random_images({4, 1, 8, 8}), to = at::tensor({0, 1, 1, 0}, at::kLong);
  const Translator translator(network, 2);
  EXPECT_TRUE(at::equal(translator.translate_to(x, to).images, x));
  parameter_named(network, "image.bias").narrow(0, 1, 1).fill_(200);
  const Translation all = Translator(network, 2).translate_to(x, to);
  EXPECT_TRUE(at::allclose(all.images, all.colours, 1e-5, 1e-6));
}

TEST(Translate, PathsLeadFromClassToClass) {
  const nn::Network network = random_translator({.image = {1, 8, 8}, .classes = 3, .width = 4});
  const Translator translator(network, 3);
  EXPECT_EQ(translator.image_shape(), (nn::Shape{1, 8, 8}));
  const at::NoGradGuard no_grad;
  const Tensor x = random_images({2, 1, 8, 8});
  const Tensor from = at::tensor({0, 2}, at::kLong), to = at::tensor({1, 0}, at::kLong);
  const Tensor path = translator.path(x, from, to, at::tensor({0.0, 0.25, 1.0}, at::kDouble));
  EXPECT_TRUE(at::allclose(path[0], translator.translate_to(x, from).images));
  EXPECT_TRUE(at::allclose(path[2], translator.translate_to(x, to).images));
  const Tensor weights = at::tensor({0.75F, 0.25F, 0.F, 0.25F, 0.F, 0.75F}).view({2, 3});
  EXPECT_TRUE(at::allclose(path[1], translator.translate(x, weights).images));
  EXPECT_TRUE(at::equal(class_weights(from, 3), at::tensor({1.F, 0.F, 0.F, 0.F, 0.F, 1.F}).view({2, 3})));
}

/// Logits in the format of the image.
class Sums final : public Classifier {
 public:
  Tensor logits(const Tensor& x) const override {
    const Tensor halves = x.flatten(2).sum(1);
    return at::stack({halves.narrow(1, 0, 32).sum(1), halves.narrow(1, 32, 32).square().sum(1)}, 1);
  }
  std::int64_t classes() const override { return 2; }
};

void to_double(nn::Network& network) {
  for (const nn::NamedTensor& own : network.state()) own.tensor.set_data(own.tensor.to(at::kDouble));
}

/// Every term of the loss, from the formula; and its gradient against differences.
TEST(TranslationLoss, IsTheFormulaAndSoIsItsGradient) {
  nn::Network translator = random_translator({.image = {1, 8, 8}, .classes = 2, .width = 2, .blocks = 1});
  nn::Network judge = dcgan_discriminator({.image = {1, 8, 8}, .width = 4, .batch_norm = false, .scores = 2});
  Generator generator = make_generator(3, "translation-test");
  nn::initialise(judge, {}, generator);
  to_double(translator);
  to_double(judge);
  translator.require_gradients(true);
  const Tensor x = random_images({6, 1, 8, 8}).to(at::kDouble);
  const Tensor from = at::tensor({0, 1, 1, 0, 0, 1}, at::kLong), to = 1 - from;
  const Tensor asked = class_weights(to, 2).to(at::kDouble), self = class_weights(from, 2).to(at::kDouble);
  TranslatorTraining options;
  options.weights = {.cycle = 7, .identity = 3, .classifier = 0.5, .mask = 2};
  const Sums classifier;
  // Batch norms in training mode, so that every path of the gradient counts.
  const nn::Execution execution{Precision::float32, /*training=*/true, nullptr};
  const auto loss = [&] {
    return translation_loss(translator, judge, &classifier, x, from, to,
                            translate(translator, x, asked, execution), options, execution);
  };
  const TranslationLoss found = loss();
  const Translation first = translate(translator, x, asked, execution);
  const Tensor back = translate(translator, first.images, self, execution).images,
               same = translate(translator, x, self, execution).images;
  const Tensor scores = judge.forward(2 * first.images - 1).gather(1, to.unsqueeze(1));
  const Tensor p = classifier.logits(first.images).softmax(1).gather(1, to.unsqueeze(1));
  const double expected = (-scores.sigmoid().log().mean() + 7 * (back - x).abs().mean() +
                           3 * (same - x).abs().mean() - 0.5 * p.log().mean() + 2 * first.mask.mean())
                              .item<double>();
  EXPECT_NEAR(found.total.item<double>(), expected, 1e-9);
  EXPECT_NEAR(found.cycle.item<double>(), (back - x).abs().mean().item<double>(), 1e-9);

  std::vector<Tensor> parameters;
  for (const nn::NamedTensor& own : translator.parameters()) parameters.push_back(own.tensor);
  const std::vector<Tensor> gradients = torch::autograd::grad({found.total}, parameters);
  for (std::size_t i = 0; i < parameters.size(); i += 3) {
    const Tensor direction = at::randn(parameters[i].sizes(), generator, at::kDouble);
    const auto value_at = [&](double step) {
      {
        const at::NoGradGuard no_grad;
        parameters[i].add_(direction, step);
      }
      const double value = loss().total.item<double>();
      const at::NoGradGuard no_grad;
      parameters[i].sub_(direction, step);
      return value;
    };
    const double difference = (value_at(1e-6) - value_at(-1e-6)) / 2e-6;
    EXPECT_NEAR((gradients[i] * direction).sum().item<double>(), difference,
                1e-5 * (1 + std::abs(difference)))
        << translator.parameters()[i].name;
  }
}

/// A bright 4 x 4 square left (class 0) or right (class 1); above it a bar of random brightness that tells nothing.
data::Dataset squares(std::int64_t count, std::uint64_t seed = 5) {
  Generator generator = make_generator(seed, "translation-test/squares");
  const Tensor labels = at::arange(count, at::kLong).remainder(2);
  const Tensor bars = at::rand({count}, generator);
  Tensor images = at::zeros({count, 1, 16, 16});
  for (std::int64_t i = 0; i < count; ++i) {
    images[i][0].narrow(0, 0, 4).fill_(bars[i].item<double>());
    const std::int64_t column = labels[i].item<std::int64_t>() == 0 ? 2 : 10;
    images[i][0].narrow(0, 8, 4).narrow(1, column, 4).fill_(0.9);
  }
  return {(images * 255).round().to(at::kByte), labels, {"left", "right"}};
}

TranslatorTraining short_translation() {
  TranslatorTraining options;
  options.weights.classifier = 0;
  options.steps = 12;
  options.batch = 8;
  options.average = 0.5;
  options.seed = 5;
  return options;
}

nn::Network trained_on(const data::Dataset& train, const TranslatorTraining& options,
                       const ProgressCallback& progress = {}) {
  nn::Network translator = translator_network({.image = {1, 16, 16}, .classes = 2, .width = 8});
  nn::Network judge = dcgan_discriminator(
      {.image = {1, 16, 16}, .width = 8, .batch_norm = !options.spectral_norm, .scores = 2});
  train_translator(translator, judge, nullptr, train, options, progress);
  return translator;
}

class TranslatorResumption : public ::testing::TestWithParam<bool> {};

TEST_P(TranslatorResumption, EndsWithTheBitsOfUninterruptedTraining) {
  const test::TemporaryFolder folder;
  TranslatorTraining options = short_translation();
  options.spectral_norm = GetParam();
  const data::Dataset train = squares(24);
  const nn::Network whole = trained_on(train, options);
  options.checkpoint = folder / "checkpoint.safetensors";
  std::int64_t seen = 0;
  const ProgressCallback stop = [&](const Progress& now) {
    ++seen;
    EXPECT_EQ(now.stage, "translator");
    if (now.step == 5) throw Error("interrupted", ExitCode::interrupted);
  };
  EXPECT_THROW(trained_on(train, options, stop), Error);
  const nn::Network parts = trained_on(train, options, [&](const Progress&) { ++seen; });
  EXPECT_EQ(seen, 12);
  const nn::NamedTensors one = whole.state(), other = parts.state();
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_TRUE(at::equal(one[i].tensor, other[i].tensor)) << one[i].name;
}
INSTANTIATE_TEST_SUITE_P(With, TranslatorResumption, ::testing::Bool(),
                         [](const auto& each) { return each.param ? "SpectralNorm" : "BatchNorm"; });

/// The known answer: the square goes to the other side; the bar and the rest stay.
TEST(TranslatorTraining, MovesWhatTellsTheClassesApartAndKeepsTheRest) {
  TranslatorTraining options = short_translation();
  options.steps = 350;
  options.batch = 16;
  options.learning_rate = 2e-3;
  options.average = 0.98;
  options.weights.cycle = 3;
  const nn::Network network = trained_on(squares(400), options);
  const at::NoGradGuard no_grad;
  const data::Dataset held_out = squares(60, 6);
  const Tensor x = data::to_float(held_out), to = 1 - held_out.labels;
  Tensor expected = x.clone();
  expected.narrow(2, 4, 12).copy_(x.narrow(2, 4, 12).roll(8, 3));
  const Translation found = Translator(network, 2).translate_to(x, to);
  const auto error = [&](const Tensor& one, const Tensor& other) {
    return (one - other).abs().mean().item<double>();
  };
  EXPECT_LT(error(found.images, expected), 0.3 * error(x, expected));
  const Tensor bar = found.images.narrow(2, 0, 4);
  EXPECT_LT(error(bar, x.narrow(2, 0, 4)), 0.05);
  // The mask covers the two places, and less of the bar.
  const Tensor places = found.mask.narrow(2, 8, 4);
  const Tensor both = at::cat({places.narrow(3, 2, 4), places.narrow(3, 10, 4)}, 3);
  EXPECT_LT(found.mask.narrow(2, 0, 4).mean().item<double>(), 0.6 * both.mean().item<double>());
}

TEST(TranslatorTraining, RefusesWhatItCannotTrain) {
  data::Dataset one = squares(16);
  one.class_names = {"only"};
  one.labels.zero_();
  EXPECT_TRUE(
      test::contains(test::usage_error_of([&] { trained_on(one, short_translation()); }), "two classes"));
  nn::Network translator = translator_network({.image = {1, 16, 16}, .classes = 2, .width = 4}),
              judge = dcgan_discriminator({.image = {1, 16, 16}, .width = 8, .scores = 2});
  const auto refused = [&] {
    train_translator(translator, judge, nullptr, squares(16), short_translation());
  };
  EXPECT_TRUE(test::contains(test::usage_error_of(refused), "without batch norm"));
}

TEST(TranslatorTraining, AwayFromTheProcessorItMovesEverything) {
  nn::Network translator = translator_network({.image = {1, 16, 16}, .classes = 2, .width = 4}),
              judge =
                  dcgan_discriminator({.image = {1, 16, 16}, .width = 8, .batch_norm = false, .scores = 2});
  translator.to(at::kMeta);
  judge.to(at::kMeta);
  test::expect_three_steps_without_a_wait([&](const ProgressCallback& progress) {
    train_translator(translator, judge, nullptr, squares(64), short_translation(), progress);
  });
}

}  // namespace
}  // namespace whence::models
