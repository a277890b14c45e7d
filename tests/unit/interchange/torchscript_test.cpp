#include "whence/interchange/torchscript.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/script_module.h"
#include "unit/interchange/torchscript_support.h"

namespace whence::nn {
namespace {

using test::save_expression;
using test::save_script;
using test::TemporaryFolder;
using test_support::difference;
using test_support::random;
using test_support::translated;

/// Random weights and running statistics, so that nothing is hidden by a 0 or a 1.
void randomise(Network& network) {
  std::uint64_t seed = 100;
  const at::NoGradGuard no_grad;
  for (const NamedTensor& t : network.state()) t.tensor.copy_(random(t.tensor.sizes(), seed++) * 0.3);
  for (const NamedTensor& t : network.state()) {
    if (t.name.ends_with("running_var")) t.tensor.abs_().add_(0.5);
  }
}

/// Every operation, two outputs, names that are no identifiers.
Network every_operation() {
  Network n("every_operation", {3, 8, 8});
  n.add("0", Conv2d{4, 3, 1, 1});
  n.add("norm", BatchNorm2d{1e-3, 0.2});
  n.add("relu", Relu{});
  n.add("plain", Conv2d{4, 3, 2, 1, false});
  n.add("leaky", LeakyRelu{0.2});
  n.add("up", ConvTranspose2d{4, 3, 2, 1, 1});
  n.add("sum", Add{}, {"up", "relu", "norm"});
  n.add("both", Concat{}, {"sum", "0"});
  n.add("grouped", Conv2d{.channels = 6, .kernel = {1, 3}, .padding = {0, 1}, .groups = 2});
  n.add("bounded", Hardtanh{-0.5, 2});
  n.add("silu", Silu{});
  n.add("hard", Hardswish{});
  n.add("gelu", Gelu{});
  n.add("gelu_by_tanh", Gelu{true});
  n.add("squeezed", GlobalAvgPool2d{});
  n.add("gate", Hardsigmoid{});
  n.add("gated", Gate{}, {"gelu_by_tanh", "gate"});
  n.add("part", Slice{1, 4});
  n.add("channels_last", Permute{{1, 2, 0}});
  n.add("layer_norm", LayerNorm{1e-4});
  n.add("channels_first", Permute{{2, 0, 1}});
  n.add("dilated", Conv2d{.channels = 4, .kernel = 2, .stride = {2, 1}, .bias = false, .dilation = {1, 2}});
  n.add("adaptive", AdaptiveAvgPool2d{3, 5});
  n.add("pad", ZeroPad2d{1, 2, 3, 4});
  n.add("max", MaxPool2d{3, 2, 1, true});
  n.add("average", AvgPool2d{2, 2, 1, true, false});
  n.add("drop_channels", Dropout2d{});
  n.add("tanh", Tanh{});
  n.add("scaled", ScaleShift{});
  n.add("global", GlobalAvgPool2d{}, {"scaled"});
  n.add("flat", Flatten{});
  n.add("norm1d", BatchNorm1d{1e-3, 0.3});
  n.add("a-b", Linear{5});
  n.add("soft", LogSoftmax{});
  n.add("wide", Linear{12, false}, {"flat"});
  n.add("drop", Dropout{});
  n.add("image", Reshape{{3, 2, 2}});
  n.add("enlarged", UpsampleNearest2d{3});
  n.add("sigmoid", Sigmoid{});
  n.add("softmax", Softmax{});
  n.set_outputs({"softmax", "soft"});
  randomise(n);
  return n;
}

TEST(TorchscriptExport, EveryOperationComputesTheSame) {
  const TemporaryFolder folder;
  const Network network = every_operation();
  export_torchscript(network, folder / "m.pt");
  const at::Tensor x = random({3, 3, 8, 8});
  const std::vector<at::Tensor> expected = network.forward_all(x), found = ScriptModule(folder / "m.pt")(x);
  ASSERT_EQ(found.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(found[i].sizes(), expected[i].sizes());
    EXPECT_LT(difference(found[i], expected[i]), 1e-6);
  }
  EXPECT_EQ(test::names_in(folder.path()), std::vector<std::string>{"m.pt"});
}

TEST(TorchscriptExport, ParametersHavePyTorchsNames) {
  const TemporaryFolder folder;
  const Network network = every_operation();
  export_torchscript(network, folder / "m.pt");
  const NamedTensors expected = network.parameters(), found = ScriptModule(folder / "m.pt").parameters();
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, expected[i].name);
    EXPECT_TRUE(at::equal(found[i].tensor, expected[i].tensor));
  }
}

TEST(ScriptModule, TellsTheInputShapeThatTheFileHolds) {
  const TemporaryFolder folder;
  export_torchscript(every_operation(), folder / "m.pt");
  EXPECT_EQ(ScriptModule(folder / "m.pt").input_shape(), (Shape{3, 8, 8}));

  Network named("n", {2});
  named.add("input_shape", Linear{2});
  export_torchscript(named, folder / "m.pt");
  EXPECT_FALSE(ScriptModule(folder / "m.pt").input_shape().has_value()) << "a layer of this name is no shape";

  torch::jit::Module module("__torch__.Model");
  module.register_attribute("training", c10::BoolType::get(), false);
  const c10::IValue sizes = c10::ivalue::Tuple::create({c10::IValue(4), c10::IValue(5), c10::IValue(6)});
  module.register_attribute("input_shape", sizes.type(), sizes);
  module.define("def forward(self, x):\n  return torch.cumsum(x, 1)\n");
  module.save((folder / "m.pt").string());
  EXPECT_EQ(ScriptModule(folder / "m.pt").input_shape(), (Shape{4, 5, 6}));
}

/// The square images that a convolution and a linear layer agree on, where there is one such size.
TEST(ScriptModule, FindsTheOnlySquareImageThatFits) {
  const TemporaryFolder folder;
  const auto told = [&](const std::string& expression, const NamedTensors& weights) {
    save_expression(folder / "m.pt", expression, weights);
    std::string obstacle;
    const std::optional<Shape> shape = ScriptModule(folder / "m.pt").input_shape(&obstacle);
    return shape ? fmt::format("{}", fmt::join(*shape, "x")) : obstacle;
  };
  const std::string convolution = "torch.relu(torch.conv2d(x, self.w))";
  const std::string pooled = "torch.max_pool2d(" + convolution + ", [2, 2])";
  const NamedTensors weights = {{"w", random({4, 3, 5, 5})}, {"v", random({6, 4 * 12 * 12})}};
  EXPECT_EQ(told("torch.linear(torch.flatten(" + convolution + ", 1), self.v)", weights), "3x16x16");
  EXPECT_EQ(told("torch.linear(torch.flatten(" + pooled + ", 1), self.v)", weights),
            "images of 3x28x28 and of 3x29x29 both fit");
  EXPECT_EQ(told("torch.mean(" + convolution + ", [2, 3])", weights),
            "images of 3x8x8 and of 3x9x9 both fit");
  EXPECT_NE(told("torch.cumsum(" + convolution + ", 1)", weights).find("aten::cumsum"), std::string::npos);
  EXPECT_NE(told("torch.linear(torch.flatten(" + convolution + ", 1), self.v)",
                 {{"w", random({4, 3, 5, 5})}, {"v", random({6, 4 * 12 * 12 + 1})}})
                .find("weights for 577 inputs behind 64"),
            std::string::npos);
  EXPECT_EQ(told("torch.linear(torch.flatten(x, 1), self.v)", {{"v", random({6, 784})}}),
            "it has no convolution whose weights tell the number of channels");
}

TEST(TorchscriptExport, AFullDiskIsAnErrorThatNamesTheFile) {
  const TemporaryFolder folder;
  const std::string file = (folder / "m.pt").string();
  const Network network = every_operation();
  const test::FullDisk disk(1000);
  const std::string said = test::error_of([&] { export_torchscript(network, file); });
  EXPECT_TRUE(test::contains(said, "cannot write " + file + ": "));
  EXPECT_FALSE(test::contains(said, ".part-"));
  EXPECT_TRUE(test::names_in(folder.path()).empty());
}

TEST(TorchscriptExport, ReservedNamesAndUnwritableFoldersAreErrors) {
  const TemporaryFolder folder;
  Network network("n", {2});
  network.add("training", Linear{2});
  test::expect_error([&] { export_torchscript(network, folder / "m.pt"); }, {"training", "rename"});
  Network keyword("n", {2});
  keyword.add("import", Linear{2});
  test::expect_error([&] { export_torchscript(keyword, folder / "m.pt"); }, {"import", "rename"});
  EXPECT_TRUE(test::names_in(folder.path()).empty());
  test::put(folder / "file", "");
  EXPECT_THROW(export_torchscript(every_operation(), folder / "file" / "m.pt"), Error);
}

TEST(TorchscriptTranslate, AnExportedNetworkComesBackLayerByLayer) {
  const TemporaryFolder folder;
  const Network network = every_operation();
  export_torchscript(network, folder / "m.pt");
  const Network back = translated(folder / "m.pt", {3, 8, 8});
  EXPECT_EQ(back.parameter_count(), network.parameter_count());
  EXPECT_EQ(back.find("norm"), 2U);
  EXPECT_EQ(back.outputs().size(), 2U);
  EXPECT_DOUBLE_EQ(std::get<BatchNorm2d>(back.layers()[2].op).epsilon, 1e-3);
  const at::Tensor x = random({5, 3, 8, 8}, 9);
  EXPECT_LT(difference(back.forward_all(x)[0], network.forward_all(x)[0]), 1e-6);
  EXPECT_LT(difference(back.forward_all(x)[1], network.forward_all(x)[1]), 1e-6);
}

TEST(ScriptModule, ReturnsTensorsOfTuplesAndPassesGradients) {
  const TemporaryFolder folder;
  save_script(
      folder / "m.pt",
      "def forward(self, x):\n  unused: Optional[Tensor] = None\n  return (self.w * x, unused, (x, x + 1))\n",
      {{"w", at::full({1}, 3.0)}});
  ScriptModule module(folder / "m.pt");
  module.require_gradients(false);
  const at::Tensor x = at::ones({2, 3}).set_requires_grad(true);
  const std::vector<at::Tensor> outputs = module(x);
  ASSERT_EQ(outputs.size(), 3U);
  outputs[0].sum().backward();
  EXPECT_TRUE(at::equal(x.grad(), at::full({2, 3}, 3.0)));
  EXPECT_FALSE(module.parameters()[0].tensor.grad().defined());
}

TEST(ScriptModule, GetsAContiguousCopyOfItsInput) {
  const TemporaryFolder folder;
  save_script(folder / "m.pt", "def forward(self, x):\n  x.mul_(2)\n  return x.view([x.size(0), -1])\n");
  const ScriptModule module(folder / "m.pt");
  const at::Tensor x = random({2, 3, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast), before = x.clone();
  EXPECT_TRUE(at::equal(module(x)[0], 2 * before.flatten(1)));
  EXPECT_TRUE(at::equal(x, before));
  const at::Tensor variable = before.clone().set_requires_grad(true);
  module(variable)[0].sum().backward();
  EXPECT_TRUE(at::equal(variable.grad(), at::full_like(before, 2)));
}

TEST(ScriptModule, ErrorsAreOneSentenceWithTheFile) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "m.pt";
  const std::string export_line = "torch.export.save(torch.export.export(model.eval(), (images,)";
  test::expect_error([&] { ScriptModule module(file); }, {file.string()});
  test::expect_error([&] { ScriptModule module(folder.path()); }, {folder.path().string()});
  test::put(file, "just some text\n");
  test::expect_error([&] { ScriptModule module(file); }, {file.string(), "no model file", export_line});
  test::put(file, "");
  test::expect_error([&] { ScriptModule module(file); }, {file.string(), "no model file", export_line});

  export_torchscript(every_operation(), file);
  const std::string whole = test::content(file);
  for (const std::size_t length : {std::size_t{10}, whole.size() / 2, whole.size() - 30, whole.size() - 1}) {
    test::put(file, whole.substr(0, length));
    test::expect_error([&] { ScriptModule module(file); }, {file.string(), "truncated", export_line});
  }

  save_expression(file, "torch.matmul(x, self.w)", {{"w", at::ones({3, 2})}});
  test::expect_error(
      [&] {
        ScriptModule{file}(at::ones({2, 4}));
      },
      {file.string(), "2x4", "return torch.matmul(x, self.w)", "height and width"});
  save_expression(file, "3");
  test::expect_error(
      [&] {
        ScriptModule{file}(at::ones({2, 4}));
      },
      {file.string(), "returns Int where tensors are expected"});
}

TEST(ScriptModule, WithoutForwardIsAnError) {
  const TemporaryFolder folder;
  save_script(folder / "m.pt", "def backward(self, x):\n  return x\n");
  test::expect_error([&] { ScriptModule module(folder / "m.pt"); }, {"no forward method"});
}

}  // namespace
}  // namespace whence::nn
