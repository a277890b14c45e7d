// The feature term against its formula in float64, written out from the layers' outputs.
#include "whence/models/train/feature_term.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/errors.h"
#include "whence/core/random.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

using at::Tensor;

nn::Network small_network() {
  nn::Network network = vgg11({.image = {3, 32, 32}, .classes = 3, .width = 2});
  Generator generator = make_generator(3, "feature-term");
  nn::initialise(network, {.keeps_size = true}, generator);
  return network;
}

Tensor some_images(std::int64_t count, std::string_view name) {
  Generator generator = make_generator(4, name);
  return at::rand({count, 3, 32, 32}, generator);
}

TEST(FeatureTerm, IsItsFormula) {
  const nn::Network network = small_network();
  const auto classifier = as_classifier(network);
  const std::vector<std::string> layers = feature_layers(*classifier);
  EXPECT_EQ(layers, (std::vector<std::string>{"conv2_relu", "conv4_relu", "conv6_relu"}));
  const Tensor known = some_images(12, "known"), real = some_images(5, "real"), made = some_images(5, "made");
  const ReconstructionTerm term = feature_term(*classifier, layers, known, 30);
  EXPECT_EQ(term.weight, 30);
  double expected = 0;
  for (const std::string& layer : layers) {
    const nn::LayerId id = network.find(layer);
    const auto output = [&](const Tensor& x) { return network.activations(x)[id].to(at::kDouble); };
    const Tensor of_known = output(known), difference = output(made) - output(real);
    std::vector<double> deviations;
    double mean = 0;
    for (std::int64_t c = 0; c < of_known.size(1); ++c) {
      const Tensor channel = of_known.select(1, c);
      deviations.push_back((channel - channel.mean()).square().mean().sqrt().item<double>());
      mean += deviations.back() / static_cast<double>(of_known.size(1));
    }
    double sum = 0;
    for (std::int64_t c = 0; c < of_known.size(1); ++c) {
      const double deviation = std::max(deviations[static_cast<std::size_t>(c)], 0.05 * mean);
      sum += (difference.select(1, c) / deviation).square().mean().item<double>();
    }
    expected += sum / static_cast<double>(of_known.size(1));
  }
  EXPECT_NEAR(term.mean(made, real).item<double>(), expected, 1e-4 * expected);
  EXPECT_EQ(term.mean(real, real).item<double>(), 0);
}

TEST(FeatureTerm, PassesAGradientToReconstructionsOnly) {
  const nn::Network network = small_network();
  const auto classifier = as_classifier(network);
  const ReconstructionTerm term = feature_term(*classifier, {"conv2_relu"}, some_images(4, "known"), 1);
  const Tensor made = some_images(2, "made").requires_grad_(), real = some_images(2, "real").requires_grad_();
  const Tensor value = term.mean(made, real);
  const Tensor gradient = torch::autograd::grad({value}, {made}, {}, /*retain_graph=*/true).front();
  EXPECT_GT(gradient.abs().max().item<double>(), 0);
  EXPECT_THROW(torch::autograd::grad({value}, {real}), c10::Error);
}

TEST(FeatureTerm, SaysWhatIsMissing) {
  const auto classifier = as_classifier(mean_intensity({.image = {3, 32, 32}, .classes = 2}));
  EXPECT_TRUE(
      test::contains(test::usage_error_of([&] { feature_layers(*classifier); }), "generator.feature_layers"));
  const auto other = as_classifier(small_network());
  EXPECT_TRUE(
      test::contains(test::error_of([&] { feature_term(*other, {"conv2_rel"}, some_images(2, "known"), 1); }),
                     "conv2_relu"));
}

}  // namespace
}  // namespace whence::models
