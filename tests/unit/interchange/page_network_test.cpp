// The networks of a report's page against LibTorch: tests/web/check_networks.js runs them in Node, with both products.
#include "interchange/page_network.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/files.h"
#include "support/python.h"
#include "whence/core/random.h"

namespace whence::nn {
namespace {

using nlohmann::json;

std::vector<float> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous().flatten();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

/// Every operation that a page knows, in shapes where rows and columns, and edges, differ.
std::vector<Network> networks() {
  std::vector<Network> all;
  Network convolutions("convolutions", {2, 9, 7});
  convolutions.add("conv1", Conv2d{5, 3, 2, 1});
  convolutions.add("bn", BatchNorm2d{});
  convolutions.add("relu", Relu{});
  convolutions.add("up", ConvTranspose2d{3, 4, 2, 1, 1});
  convolutions.add("leaky", LeakyRelu{0.1});
  convolutions.add("norm", BatchNorm2d{});  // behind an activation: a scale and a shift
  convolutions.add("pad", ZeroPad2d{1, 2, 0, 1});
  convolutions.add("max", MaxPool2d{3, 2, 1});
  convolutions.add("average", AvgPool2d{2, 1, 1});
  convolutions.add("nearest", UpsampleNearest2d{2});
  convolutions.add("tanh", Tanh{});
  convolutions.add("grouped", Conv2d{6, {3, 5}, {1, 2}, {1, 0}, true, 3, {2, 1}});
  convolutions.add("silu", Silu{});
  convolutions.add("swish", Hardswish{});
  convolutions.add("edge", MaxPool2d{2, 2, 0, true});
  convolutions.add("cut", Hardtanh{-0.5, 6});
  convolutions.add("mean", GlobalAvgPool2d{});
  convolutions.add("gate", Hardsigmoid{});
  convolutions.add("gated", Gate{}, {"cut", "gate"});
  all.push_back(std::move(convolutions));

  Network graph("graph", {3, 6, 6});
  graph.add("a", Conv2d{4, 1});
  graph.add("b", Conv2d{4, 3, 1, 1, false}, {"input"});
  graph.add("sum", Add{}, {"a", "b"});
  graph.add("both", Concat{}, {"sum", "input"});
  graph.add("drop", Dropout2d{});
  graph.add("pool", GlobalAvgPool2d{});
  graph.add("flat", Flatten{});
  graph.add("fc", Linear{9});
  graph.add("sigmoid", Sigmoid{});
  graph.add("bn", BatchNorm1d{});
  graph.add("fc2", Linear{6, false});
  graph.add("softmax", Softmax{});
  graph.add("log", LogSoftmax{}, {"fc2"});
  graph.set_outputs({"softmax", "log"});
  all.push_back(std::move(graph));

  Network decoder("decoder", {3});
  decoder.add("fc", Linear{12});
  decoder.add("image", Reshape{{3, 2, 2}});
  decoder.add("up", ConvTranspose2d{2, 3, 1, 0});
  all.push_back(std::move(decoder));
  return all;
}

/// Statistics that batch normalisation did not begin with.
void disturb(Network& network, at::Generator& generator) {
  NamedTensors state = network.state();
  for (NamedTensor& each : state) {
    each.tensor = at::randn(each.tensor.sizes(), generator) * 0.5;
    if (each.name.ends_with("running_var")) each.tensor = each.tensor.abs() + 0.5;
  }
  network.load_state(state);
}

TEST(PageNetwork, ComputesInNodeWhatLibTorchComputes) {
  if (test::run_program({"node", "--version"}).exit_code != 0) GTEST_SKIP() << "no Node.js here";
  const test::TemporaryFolder folder;
  Generator generator = make_generator(0, "test");
  json tests = json::array();
  for (Network& network : networks()) {
    disturb(network, generator);
    Shape shape = network.input_shape();
    shape.insert(shape.begin(), 1);
    const at::Tensor x = at::randn(shape, generator);
    for (const PageWeights weights : {PageWeights::halves, PageWeights::bytes}) {
      std::string bytes = "x";  // what follows other data is aligned, too
      const auto page = page_network(network, weights, bytes);
      ASSERT_TRUE(page);
      json test = {
          {"name", network.name()}, {"network", page->layers}, {"input", numbers(x)}, {"tolerance", 2e-5}};
      for (const char byte : bytes) test["weights"].push_back(static_cast<unsigned char>(byte));
      const at::NoGradGuard no_grad;
      for (const at::Tensor& output : page->rounded.forward_all(x))
        test["outputs"].push_back(numbers(output));
      // Rounding itself is small: 11 bits, or 7 of the largest weight of a row.
      const at::Tensor exact = network.forward(x);
      const double off = (page->rounded.forward(x) - exact).abs().max().item<double>();
      EXPECT_LT(off, (weights == PageWeights::halves ? 2e-3 : 5e-2) * (1 + exact.abs().max().item<double>()));
      EXPECT_GT(off, 0);
      tests.push_back(std::move(test));
    }
  }
  const auto file = folder.path() / "networks.json";
  std::ofstream(file) << tests.dump();
  const auto root = test::tests_folder().parent_path();
  const test::ProgramResult result = test::run_program(
      {"node", root / "tests/web/check_networks.js", file, root / "web/network.js", root / "web/gemm.wasm"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST(PageNetwork, TheCommittedKernelIsWhatItsSourceGives) {
  const auto result =
      test::run_program({test::tests_folder().parent_path() / "scripts/build-wasm", "--check"});
  if (result.exit_code == 77) GTEST_SKIP() << result.output;
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

}  // namespace
}  // namespace whence::nn
