// SGD with momentum and Adam against slow float64 transcriptions of their papers.
#include "whence/nn/training/optimizer.h"

#include <gtest/gtest.h>

#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::nn {
namespace {

Network two_linear_layers() {
  Network network("small", {3});
  network.add("fc1", Linear{4});
  network.add("relu", Relu{});
  network.add("fc2", Linear{2});
  Generator generator = make_generator(7, "optimizer-test");
  initialise(network, {}, generator);
  return network;
}

/// A smooth function of all parameters, whose gradient is known: sum of w^4 / 4 has the gradient w^3.
void set_gradients(const Network& network, Optimizer& optimizer) {
  at::Tensor loss = at::zeros({});
  for (const auto& [name, parameter] : network.parameters()) loss = loss + parameter.pow(4).sum() / 4;
  optimizer.set_gradients({torch::autograd::grad({loss}, optimizer.parameters())});
}

at::Tensor flat(const Network& network) {
  std::vector<at::Tensor> pieces;
  for (const auto& [name, parameter] : network.parameters()) {
    pieces.push_back(parameter.detach().to(at::kDouble).reshape({-1}));
  }
  return at::cat(pieces);
}

TEST(Optimizer, SgdWithMomentumFollowsItsDefinition) {
  Network network = two_linear_layers();
  at::Tensor w = flat(network), buffer = at::zeros_like(w);
  Optimizer optimizer({&network}, Sgd{.momentum = 0.5});
  for (int step = 0; step < 20; ++step) {
    const double rate = 0.3 / (1 + step);
    set_gradients(network, optimizer);
    optimizer.step(rate);
    buffer = 0.5 * buffer + w.pow(3);
    w = w - rate * buffer;
  }
  EXPECT_LT((flat(network) - w).abs().max().item<double>(), 1e-6);
}

TEST(Optimizer, AdamFollowsAlgorithm1OfKingmaAndBa) {
  Network network = two_linear_layers();
  at::Tensor w = flat(network), m = at::zeros_like(w), v = at::zeros_like(w);
  Optimizer optimizer({&network}, Adam{.beta1 = 0.5, .beta2 = 0.999});
  for (int step = 1; step <= 20; ++step) {
    set_gradients(network, optimizer);
    optimizer.step(0.01);
    const at::Tensor g = w.pow(3);
    m = 0.5 * m + 0.5 * g;
    v = 0.999 * v + 0.001 * g * g;
    w = w - 0.01 * (m / (1 - std::pow(0.5, step))) / ((v / (1 - std::pow(0.999, step))).sqrt() + 1e-8);
  }
  EXPECT_LT((flat(network) - w).abs().max().item<double>(), 1e-5);
}

/// Each value moves by itself: what is left after keep() goes on as if it had been alone.
TEST(AdamSearch, FollowsTheSameAlgorithmAndForgetsRows) {
  const auto real = at::TensorOptions(at::kDouble);
  const at::Tensor start = at::randn({4, 3}, make_generator(7, "search"), real);
  const at::Tensor some = at::tensor({3, 1}, at::kLong);
  AdamSearch search(start, {.beta1 = 0.8, .beta2 = 0.9});
  at::Tensor found = start, w = start.clone(), m = at::zeros_like(w), v = at::zeros_like(w);
  for (int step = 1; step <= 20; ++step) {
    found = search.moved(found, found.pow(3), 0.02);
    m = 0.8 * m + 0.2 * w.pow(3);
    v = 0.9 * v + 0.1 * w.pow(6);
    w = w - 0.02 * (m / (1 - std::pow(0.8, step))) / ((v / (1 - std::pow(0.9, step))).sqrt() + 1e-8);
    if (step != 10) continue;
    search.keep(some);
    for (at::Tensor* each : {&found, &w, &m, &v}) *each = each->index_select(0, some);
  }
  EXPECT_LT((found - w).abs().max().item<double>(), 1e-12);

  AdamSearch up(start);
  EXPECT_TRUE(at::allclose(up.moved(start, at::ones_like(start), -0.1), start + 0.1));
}

TEST(Optimizer, LeavesParametersInTheirOrderAndTakesGradientsInAny) {
  Network network("convolution", {3, 5, 5});
  network.add("conv", Conv2d{4, 3});
  Generator generator = make_generator(8, "optimizer-test");
  initialise(network, {}, generator);
  const at::Tensor before = network.parameters()[0].tensor.detach().clone();
  ASSERT_TRUE(before.is_contiguous(at::MemoryFormat::ChannelsLast));
  Optimizer optimizer({&network}, Sgd{});
  const at::Tensor weight = network.parameters()[0].tensor.detach();
  EXPECT_TRUE(weight.equal(before));
  EXPECT_EQ(weight.strides(), before.strides());

  const at::Tensor gradient = at::randn(before.sizes(), generator);  // in LibTorch's usual order
  optimizer.set_gradients({{gradient, {}}});
  optimizer.step(0.5);
  EXPECT_LT((weight - (before - 0.5 * gradient)).abs().max().item<double>(), 1e-6);
}

TEST(Optimizer, StateCarriesOverExactly) {
  Network whole = two_linear_layers(), parts = two_linear_layers();
  Optimizer through({&whole}, Adam{}), before({&parts}, Adam{});
  for (int step = 0; step < 6; ++step) {
    set_gradients(whole, through);
    through.step(0.01);
    if (step >= 3) continue;
    set_gradients(parts, before);
    before.step(0.01);
  }
  NamedTensors state;
  for (const auto& [name, tensor] : before.state()) state.push_back({name, tensor.clone()});
  Optimizer after({&parts}, Adam{});
  after.load_state(state);
  for (int step = 3; step < 6; ++step) {
    set_gradients(parts, after);
    after.step(0.01);
  }
  EXPECT_TRUE(at::equal(flat(whole), flat(parts)));
}

TEST(Optimizer, RefusesAnotherTrainingsState) {
  Network network = two_linear_layers(), same = two_linear_layers();
  const Optimizer sgd({&network}, Sgd{});
  Optimizer adam({&same}, Adam{});
  EXPECT_THROW(adam.load_state(sgd.state()), Error);
}

}  // namespace
}  // namespace whence::nn
