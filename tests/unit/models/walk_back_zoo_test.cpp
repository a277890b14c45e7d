// Interventions and walks back on the zoo's classifiers.
#include <torch/csrc/autograd/autograd.h>

#include "unit/nn/network_support.h"
#include "whence/models/architectures.h"
#include "whence/models/roles.h"
#include "whence/nn/graph/walk_back.h"

namespace whence::models {
namespace {

using at::Tensor;
using test_support::largest_difference;

/// Of the least images that all architectures take, narrow, with weights that keep the size of what goes through.
nn::Network made(const ClassifierArchitecture& architecture, Generator& generator) {
  ClassifierRequest request{.image = {3, 32, 32}, .classes = 4};
  if (architecture.width > 0) request.width = 8;
  nn::Network network = architecture.make(request);
  nn::initialise(network, {.keeps_size = true}, generator);
  return network;
}

TEST(WalkBackZoo, TheGradientRuleIsAutograd) {
  Generator generator = make_generator(41, "test");
  for (const ClassifierArchitecture& architecture : classifier_architectures()) {
    nn::Network network = made(architecture, generator);
    test_support::to_float64(network);
    const Tensor x = at::rand({2, 3, 32, 32}, generator).to(at::kDouble).set_requires_grad(true);
    const Tensor weights = test_support::randn64({2, 4}, generator);
    const Tensor expected = torch::autograd::grad({(weights * network.forward(x)).sum()}, {x}).front();
    const std::vector<Tensor> activations = network.activations(x.detach());
    const nn::Relevance found =
        network.walk_back(activations, {network.outputs().front(), weights}, nn::rule("gradient"));
    EXPECT_LT(largest_difference(found.input(), expected),
              1e-12 + 1e-10 * expected.abs().max().item<double>())
        << architecture.name;
    EXPECT_GT(expected.abs().max().item<double>(), 0) << architecture.name;
  }
}

TEST(WalkBackZoo, TheGradientRuleIsAutogradInFloat32) {
  Generator generator = make_generator(42, "test");
  for (const ClassifierArchitecture& architecture : classifier_architectures()) {
    const nn::Network network = made(architecture, generator);
    const Tensor x = at::rand({2, 3, 32, 32}, generator).set_requires_grad(true);
    const Tensor expected = torch::autograd::grad({network.forward(x).sum()}, {x}).front();
    const std::vector<Tensor> activations = network.activations(x.detach());
    const nn::LayerId last = network.outputs().front();
    const nn::Relevance found =
        network.walk_back(activations, {last, at::ones_like(activations[last])}, nn::rule("gradient"));
    EXPECT_LT((found.input() - expected).norm().item<double>(), 1e-3 * expected.norm().item<double>())
        << architecture.name;
  }
}

TEST(WalkBackZoo, RelevanceIsKeptWhereThereAreNoBiases) {
  Generator generator = make_generator(43, "test");
  nn::Network network = base_cnn({.image = {1, 28, 28}, .classes = 3, .width = 8});
  nn::initialise(network, {.keeps_size = true}, generator);  // biases are 0
  test_support::to_float64(network);
  const Tensor x = at::rand({3, 1, 28, 28}, generator).to(at::kDouble);
  const std::vector<Tensor> activations = network.activations(x);
  const nn::LayerId last = network.outputs().front();
  const Tensor start = activations[last] * at::eye(3, at::kDouble);
  const auto total_at_input = [&](const nn::Rules& rules) {
    return network.walk_back(activations, {last, start}, rules).input().sum({1, 2, 3});
  };
  EXPECT_GT(start.abs().max().item<double>(), 0.01) << "a test of nothing";
  const nn::Rule rows[] = {nn::rule("epsilon", {{"epsilon", 0}}),
                           nn::rule("z_plus"),
                           nn::rule("w_square"),
                           nn::rule("flat"),
                           nn::rule("gamma"),
                           nn::rule("excitation"),
                           nn::rule("alpha_beta", {{"alpha", 1}, {"beta", 0}})};
  for (const nn::Rule& row : rows)
    EXPECT_LT(largest_difference(total_at_input(row), start.sum(1)), 1e-7) << row.name;
  const nn::Rules mixed = nn::Rules(nn::rule("epsilon", {{"epsilon", 0}}))
                              .operation("Conv2d", nn::rule("gamma"))
                              .layer("conv1", nn::rule("z_box"));
  EXPECT_LT(largest_difference(total_at_input(mixed), start.sum(1)), 1e-7);
}

TEST(WalkBackZoo, RunsInFloat32OnWhatIsFrozenInBfloat16) {
  Generator generator = make_generator(45, "test");
  const nn::Network network = made(classifier_architectures().front(), generator);
  const auto classifier = as_classifier(network, Precision::bfloat16);
  const Tensor x = at::rand({2, 3, 32, 32}, generator);
  const auto found = [&](const nn::Network& own) {
    const std::vector<Tensor> activations = own.activations(x);
    const nn::LayerId last = own.outputs().front();
    return own.walk_back(activations, {last, at::ones_like(activations[last])}, nn::rule("z_plus")).input();
  };
  const Tensor expected = found(network), narrow = found(*classifier->network());
  EXPECT_EQ(narrow.scalar_type(), at::kFloat);
  EXPECT_LT((narrow - expected).norm().item<double>(), 0.05 * expected.norm().item<double>());
}

TEST(MergedNorms, ComputeTheSameAndLeaveIdentitiesBehind) {
  Generator generator = make_generator(46, "test");
  int found = 0;
  for (const ClassifierArchitecture& architecture : classifier_architectures()) {
    nn::Network network = made(architecture, generator);
    test_support::randomise(network, generator);
    test_support::to_float64(network);
    const nn::NamedTensors before = network.clone().state();
    const nn::Network merged = network.with_merged_norms();
    const Tensor x = at::rand({2, 3, 32, 32}, generator).to(at::kDouble);
    const Tensor expected = network.forward(x);
    EXPECT_LT(largest_difference(merged.forward(x), expected),
              1e-10 * (1 + expected.abs().max().item<double>()))
        << architecture.name;
    for (std::size_t i = 0; i < before.size(); ++i)
      EXPECT_TRUE(network.state()[i].tensor.equal(before[i].tensor)) << before[i].name;

    const std::vector<Tensor> activations = merged.activations(x);
    for (nn::LayerId id = 0; id < merged.layers().size(); ++id) {
      if (!std::holds_alternative<nn::BatchNorm2d>(network.layers()[id].op)) continue;
      const nn::Layer& layer = merged.layers()[id];
      const nn::Layer& input = merged.layers()[layer.inputs.front()];
      const auto reads = [&](const nn::Layer& other) {
        return other.inputs.front() == layer.inputs.front() || other.inputs.back() == layer.inputs.front();
      };
      const auto readers = std::count_if(merged.layers().begin() + 1, merged.layers().end(), reads);
      if (!std::holds_alternative<nn::Conv2d>(input.op) || readers > 1) continue;
      ++found;
      EXPECT_TRUE(activations[id].equal(activations[layer.inputs.front()])) << layer.name;
      EXPECT_TRUE(layer.parameters.empty() && std::holds_alternative<nn::Reshape>(layer.op))
          << layer.name << " would share relevance out again";
      EXPECT_EQ(input.parameters.size(), 2U) << input.name;
    }
  }
  EXPECT_GT(found, 10);
}

TEST(MergedNorms, OfTransposedConvolutionsAndLinearLayersToo) {
  Generator generator = make_generator(47, "test");
  nn::Network network("n", {3, 4, 4});
  network.add("up", nn::ConvTranspose2d{.channels = 5, .kernel = 3, .stride = 2, .bias = false});
  network.add("norm", nn::BatchNorm2d{.epsilon = 0.1});
  network.add("flatten", nn::Flatten{});
  network.add("fc", nn::Linear{6});
  network.add("norm1", nn::BatchNorm1d{});
  network.add("shared", nn::Linear{6});
  network.add("norm2", nn::BatchNorm1d{});
  network.add("sum", nn::Add{}, {"norm2", "shared"});
  test_support::randomise(network, generator);
  test_support::to_float64(network);
  const nn::Network merged = network.with_merged_norms();
  const Tensor x = test_support::randn64({2, 3, 4, 4}, generator);
  EXPECT_LT(largest_difference(merged.forward(x), network.forward(x)), 1e-10);
  const auto activation = [&](const char* layer) {
    return merged.activations(x, {merged.find(layer)}).front();
  };
  EXPECT_LT(largest_difference(activation("norm"), activation("up")), 1e-12);
  EXPECT_LT(largest_difference(activation("norm1"), activation("fc")), 1e-12);
  EXPECT_GT(largest_difference(activation("norm2"), activation("shared")), 1e-2) << "another layer reads it";
}

/// The small DenseNet by hand, with changes of two layers.
TEST(InterventionsZoo, HybridsOfADenseNetAreWhatIsWrittenByHand) {
  Generator generator = make_generator(44, "test");
  nn::Network network = small_densenet({.image = {2, 8, 8}, .classes = 3, .width = 4});
  test_support::randomise(network, generator);
  test_support::to_float64(network);
  const Tensor x = test_support::randn64({2, 2, 8, 8}, generator),
               donor = test_support::randn64({2, 2, 8, 8}, generator);

  const auto layer = [&](const std::string& name) -> const nn::Layer& {
    return network.layers()[network.find(name)];
  };
  const auto convolved = [&](const std::string& name, const Tensor& input, std::int64_t padding) {
    return at::conv2d(input, layer(name).parameters[0].tensor, {}, 1, padding);
  };
  const auto rectified_norm = [&](const std::string& name, const Tensor& input) {
    const nn::Layer& norm = layer(name);
    const auto wide = [](const Tensor& values) { return values.view({1, -1, 1, 1}); };
    const Tensor scale = norm.parameters[0].tensor / (norm.buffers[1].tensor + 1e-5).sqrt();
    return at::relu((input - wide(norm.buffers[0].tensor)) * wide(scale) + wide(norm.parameters[1].tensor));
  };
  const auto preactivated = [&](const std::string& name, const Tensor& input, std::int64_t padding) {
    return convolved(name, rectified_norm(name + "_norm", input), padding);
  };
  using Change = std::function<Tensor(const Tensor&)>;
  const auto by_hand = [&](const Tensor& input, const Change& at_new, const Change& at_pool) {
    Tensor features = convolved("conv", input, 1);
    for (const char* name : {"dense1", "dense2", "dense3"}) {
      Tensor added = preactivated(std::string(name) + "_conv2",
                                  preactivated(std::string(name) + "_conv1", features, 0), 1);
      if (std::string_view(name) == "dense2") added = at_new(added);
      features = at::cat({features, added}, 1);
    }
    const Tensor pooled = at_pool(at::avg_pool2d(preactivated("transition", features, 0), 2));
    return at::linear(rectified_norm("norm", pooled).mean({2, 3}), layer("fc").parameters[0].tensor,
                      layer("fc").parameters[1].tensor);
  };

  const auto same = [](const Tensor& output) { return output; };
  EXPECT_LT(largest_difference(network.forward(x), by_hand(x, same, same)), 1e-10);
  // Half of a layer's channels come from another image.
  const nn::LayerId added = network.find("dense2_conv2"), pool = network.find("transition_pool");
  const Tensor others = network.activations(donor, {added}).front();
  const Change hybrid = [&](const Tensor& own) {
    return at::cat({own.narrow(1, 0, 2), others.narrow(1, 2, 2)}, 1);
  };
  const Change halved = [](const Tensor& own) { return own * 0.5; };
  const Tensor found = network.intervene(x, {{added, hybrid}, {pool, halved}});
  EXPECT_LT(largest_difference(found, by_hand(x, hybrid, halved)), 1e-10);
  EXPECT_GT(largest_difference(found, network.forward(x)), 1e-3);
}

}  // namespace
}  // namespace whence::models
