// DeepLIFT against published values, a transcription in float64, and its axiom on every kind of layer.
#include "whence/explain/attribution/deep_lift.h"

#include <gtest/gtest.h>

#include "unit/attribution/cases.h"

namespace whence::attribution {
namespace {

using namespace known;
using Rows = std::vector<std::vector<double>>;

Attribution deep(const nn::Network& network, const at::Tensor& x, std::int64_t target, double level = 0,
                 Score score = Score::logit) {
  Options options;
  options.score = score;
  options.of<DeepLift>().level = level;
  return method("deep_lift").run(*models::as_classifier(network), x, all_of(target, x.size(0)), options);
}

/// Two values -> relu(first) - inner - relu(second) -> relu(. - outer): both networks of Sundararajan, Taly and Yan 2017, figure 3.
nn::Network kinked(float inner, float outer) {
  nn::Network network("kinked", {1, 1, 2});
  network.add("flatten", nn::Flatten{});
  network.add("fc1", nn::Linear{2});
  network.add("relu1", nn::Relu{});
  network.add("fc2", nn::Linear{2});
  network.add("relu2", nn::Relu{});
  set(network, "fc1.weight", at::eye(2));
  set(network, "fc1.bias", at::tensor({-inner, 0.0F}));
  set(network, "fc2.weight", at::tensor({1.0F, -1.0F, 0.0F, 0.0F}));
  set(network, "fc2.bias", at::tensor({-outer, 0.0F}));
  return network;
}

void expect_values(const Attribution& found, const std::vector<float>& expected) {
  EXPECT_TRUE(at::allclose(found.values.flatten(), at::tensor(expected), 1e-4, 1e-5)) << found.values;
}

/// "DeepLIFT gives different attributions to equal functions": the values that are published for it.
TEST(DeepLift, GivesThePublishedValuesOfTwoEqualFunctions) {
  expect_values(deep(kinked(0, 1), row({3, 1}), 0), {1.5F, -0.5F});
  expect_values(deep(kinked(1, 0), row({3, 1}), 0), {2, -1});
}

TEST(DeepLift, OfMlIsWorkedOutByHand) {
  nn::Network network("ML", {1, 1, 3});
  network.add("flatten", nn::Flatten{});
  network.add("fc1", nn::Linear{4});
  network.add("relu", nn::Relu{});
  network.add("fc2", nn::Linear{2});
  set(network, "fc1.weight", at::ones({4, 3}));
  set(network, "fc1.bias", at::tensor({-10.0F, 1.0F, 1.0F, 1.0F}));
  set(network, "fc2.weight", at::cat({at::zeros({1, 4}), at::ones({1, 4})}));
  set(network, "fc2.bias", at::tensor({0.0F, -1.0F}));
  expect_values(deep(network, ml_image(), 1), {78, 195, 117});
}

/// A layer of a network, as numbers.
struct Dense {
  Rows weight;
  std::vector<double> bias;
  double (*activation)(double);
};
double relu(double z) { return std::max(z, 0.0); }
double same(double z) { return z; }
double hyperbolic(double z) { return std::tanh(z); }

std::vector<double> sums_of(const Dense& layer, const std::vector<double>& a) {
  std::vector<double> z = layer.bias;
  for (std::size_t j = 0; j < z.size(); ++j)
    for (std::size_t i = 0; i < a.size(); ++i) z[j] += layer.weight[j][i] * a[i];
  return z;
}

/// The multipliers of the inputs of layers first, first + 1, ..., for `target` of the last one.
std::vector<double> transcribed(const std::vector<Dense>& layers, std::size_t first,
                                const std::vector<double>& a, const std::vector<double>& from,
                                std::size_t target) {
  if (first == layers.size()) {
    std::vector<double> start(a.size(), 0);
    start[target] = 1;
    return start;
  }
  const Dense& layer = layers[first];
  const std::vector<double> z = sums_of(layer, a), z0 = sums_of(layer, from);
  std::vector<double> after, before;
  for (std::size_t j = 0; j < z.size(); ++j) {
    after.push_back(layer.activation(z[j]));
    before.push_back(layer.activation(z0[j]));
  }
  const std::vector<double> above = transcribed(layers, first + 1, after, before, target);
  std::vector<double> own(a.size(), 0);
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < z.size(); ++j)
      own[i] += layer.weight[j][i] * above[j] * (after[j] - before[j]) / (z[j] - z0[j]);
  return own;
}

std::vector<double> doubles_of(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kDouble).flatten();
  std::vector<double> result;
  for (std::int64_t i = 0; i < flat.size(0); ++i) result.push_back(flat[i].item<double>());
  return result;
}

TEST(DeepLift, EqualsATranscriptionInFloat64) {
  nn::Network network("dense", {1, 2, 3});
  network.add("flatten", nn::Flatten{});
  network.add("fc1", nn::Linear{5});
  network.add("tanh", nn::Tanh{});
  network.add("fc2", nn::Linear{4});
  network.add("relu", nn::Relu{});
  network.add("fc3", nn::Linear{3});
  network = initialised(network);
  Generator generator = make_generator(8, "bias");
  std::vector<Dense> layers;
  const std::pair<const char*, double (*)(double)> kinds[] = {
      {"fc1", hyperbolic}, {"fc2", relu}, {"fc3", same}};
  for (const auto& [name, activation] : kinds) {
    const nn::NamedTensors& own = network.layers()[network.find(name)].parameters;
    at::Tensor(own[1].tensor).copy_(at::rand(own[1].tensor.sizes(), generator) - 0.5);
    Rows weight;
    for (std::int64_t j = 0; j < own[0].tensor.size(0); ++j) weight.push_back(doubles_of(own[0].tensor[j]));
    layers.push_back({weight, doubles_of(own[1].tensor), activation});
  }
  const at::Tensor x = random_images(4, {1, 2, 3});
  const Attribution found = deep(network, x, 2, 0.3);
  for (std::int64_t image = 0; image < 4; ++image) {
    const std::vector<double> a = doubles_of(x[image]), from(a.size(), 0.3);
    const std::vector<double> multipliers = transcribed(layers, 0, a, from, 2);
    for (std::size_t i = 0; i < a.size(); ++i)
      EXPECT_NEAR(found.values[image].flatten()[static_cast<std::int64_t>(i)].item<double>(),
                  multipliers[i] * (a[i] - from[i]), 1e-5);
  }
}

/// Windows that overlap, a gate, a normalisation over features, skips and a concatenation.
nn::Network every_kind() {
  nn::Network network("every", {2, 8, 8});
  network.add("conv", nn::Conv2d{4, 3, 1, 1});
  network.add("norm", nn::BatchNorm2d{});
  network.add("relu", nn::Relu{});
  network.add("pool", nn::MaxPool2d{3, 2, 1});
  network.add("squeeze", nn::GlobalAvgPool2d{});
  network.add("gate", nn::Sigmoid{});
  network.add("gated", nn::Gate{}, {"pool", "gate"});
  network.add("conv2", nn::Conv2d{4, 3, 1, 1});
  network.add("silu", nn::Silu{});
  network.add("add", nn::Add{}, {"silu", "gated"});
  network.add("concat", nn::Concat{}, {"add", "pool"});
  network.add("flatten", nn::Flatten{});
  network.add("layer_norm", nn::LayerNorm{});
  network.add("fc", nn::Linear{3});
  return initialised(network);
}

TEST(DeepLift, SumsToTheDifferenceThroughEveryKindOfLayer) {
  const at::Tensor x = random_images(6, {2, 8, 8});
  for (const Score score : {Score::logit, Score::probability})
    for (const double level : {0.0, 0.5}) {
      const Attribution found = deep(every_kind(), x, 1, level, score);
      EXPECT_LT(found.completeness_error.abs().max().item<double>(),
                1e-4 * found.values.abs().sum({1, 2, 3}).max().item<double>())
          << name_of(score) << " " << level;
    }
}

/// Where nothing bends, every method says the same.
TEST(DeepLift, OfALinearNetworkIsInputTimesGradient) {
  nn::Network network("linear", {1, 4, 4});
  network.add("conv", nn::Conv2d{3, 3});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{2});
  network = initialised(network);
  const at::Tensor x = random_images(3, {1, 4, 4});
  const auto classifier = models::as_classifier(network);
  EXPECT_TRUE(at::allclose(deep(network, x, 1).values,
                           method("input_times_gradient").run(*classifier, x, all_of(1, 3)).values, 1e-4,
                           1e-6));
}

}  // namespace
}  // namespace whence::attribution
