#include "whence/nn/torchscript.h"

#include "support/errors.h"
#include "support/files.h"
#include "support/script_module.h"
#include "whence/core/random.h"

namespace whence::nn {
namespace {

using test::save_expression;
using test::save_script;
using test::TemporaryFolder;

at::Tensor random(at::IntArrayRef sizes, std::uint64_t seed = 0) {
  return at::randn(sizes, make_generator(seed, "test/torchscript"));
}

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
  n.add("pad", ZeroPad2d{1, 2, 3, 4});
  n.add("max", MaxPool2d{3, 2, 1});
  n.add("average", AvgPool2d{2, 1, 1});
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

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

std::string obstacle_of(const std::filesystem::path& path, const Shape& input) {
  std::string obstacle;
  EXPECT_FALSE(ScriptModule(path).translate(input, &obstacle).has_value());
  return obstacle;
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
  std::string obstacle;
  const std::optional<Network> back = ScriptModule(folder / "m.pt").translate({3, 8, 8}, &obstacle);
  ASSERT_TRUE(back.has_value()) << obstacle;
  EXPECT_EQ(back->parameter_count(), network.parameter_count());
  EXPECT_EQ(back->find("norm"), 2U);
  EXPECT_EQ(back->outputs().size(), 2U);
  EXPECT_DOUBLE_EQ(std::get<BatchNorm2d>(back->layers()[2].op).epsilon, 1e-3);
  const at::Tensor x = random({5, 3, 8, 8}, 9);
  EXPECT_LT(difference(back->forward_all(x)[0], network.forward_all(x)[0]), 1e-6);
  EXPECT_LT(difference(back->forward_all(x)[1], network.forward_all(x)[1]), 1e-6);
}

struct Expression {
  std::string source;
  std::vector<std::string> operations;
};

class Translates : public testing::TestWithParam<Expression> {};

TEST_P(Translates, ToTheseOperations) {
  const TemporaryFolder folder;
  const NamedTensors weights = {{"w", random({2, 4, 3, 3}, 1)},
                                {"m", random({64, 5}, 2)},
                                {"b", random({5}, 3)},
                                {"mean", random({4, 1, 1}, 5)},
                                {"deviation", random({1, 4, 1, 1}, 6).abs() + 0.2},
                                {"columns", at::tensor({4, 1}, at::kLong)}};
  save_script(folder / "m.pt", "def forward(self, x):\n" + GetParam().source, weights);
  std::string obstacle;
  const std::optional<Network> network = ScriptModule(folder / "m.pt").translate({4, 4, 4}, &obstacle);
  ASSERT_TRUE(network.has_value()) << obstacle;
  std::vector<std::string> operations;
  for (const Layer& layer : network->layers()) operations.emplace_back(name_of(layer.op));
  operations.erase(operations.begin());
  EXPECT_EQ(operations, GetParam().operations);
  const at::Tensor x = random({2, 4, 4, 4}, 4);
  EXPECT_LT(difference(network->forward(x), ScriptModule(folder / "m.pt")(x)[0]), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Scripts, Translates,
    testing::Values(
        Expression{"  return torch.view(x, [x.size(0), -1])\n", {"Flatten"}},
        Expression{"  return torch.view(x, [-1, 64])\n", {"Flatten"}},
        Expression{"  return torch.reshape(x, [x.shape[0], 16, 2, 2])\n", {"Reshape"}},
        Expression{"  n, c, h, w = x.shape\n  return torch.view(x, [n, c * h * w])\n", {"Flatten"}},
        Expression{"  return torch.view(x, [x.size(0), x.size(1) * x.size(2), x.size(-1)])\n", {"Reshape"}},
        Expression{"  return torch.flatten(x, 2)\n", {"Reshape"}},
        Expression{"  if x.dim() == 4:\n    x = torch.relu(x)\n  else:\n    x = torch.tanh(x)\n  return x\n",
                   {"Relu"}},
        Expression{"  y = torch.clone(x)\n  torch.relu_(y)\n  return torch.sigmoid(y)\n",
                   {"Relu", "Sigmoid"}},
        Expression{"  y = torch.tanh(x)\n  y += x\n  return y\n", {"Tanh", "Add"}},
        Expression{"  return torch.cat([x, torch.tanh(x), x], -3)\n", {"Tanh", "Concat"}},
        Expression{"  return torch.matmul(torch.flatten(x, 1), self.m) + self.b\n", {"Flatten", "Linear"}},
        Expression{"  return self.b + torch.mm(torch.flatten(x, 1), self.m)\n", {"Flatten", "Linear"}},
        Expression{"  return torch.addmm(self.b, torch.flatten(x, 1), self.m)\n", {"Flatten", "Linear"}},
        Expression{"  return torch.matmul(torch.flatten(x, 1), self.m)\n", {"Flatten", "Linear"}},
        Expression{"  y = torch.addmm(self.b, torch.flatten(x, 1), self.m)\n  return y[:, [3, 0, -1]]\n",
                   {"Flatten", "Linear"}},
        Expression{"  return (torch.matmul(torch.flatten(x, 1), self.m) + self.b)[:, 1:4]\n",
                   {"Flatten", "Linear"}},
        Expression{"  return torch.index_select(torch.mm(torch.flatten(x, 1), self.m), 1, self.columns)\n",
                   {"Flatten", "Linear"}},
        Expression{"  return torch.relu(x)[:, :, :]\n", {"Relu"}},
        Expression{"  return torch.mean(x, [-1, -2])\n", {"GlobalAvgPool2d", "Flatten"}},
        Expression{"  return torch.mean(x, [2, 3], True)\n", {"GlobalAvgPool2d"}},
        Expression{"  return torch.adaptive_avg_pool2d(torch.tanh(x), [4, 4])\n", {"Tanh"}},
        Expression{"  return torch.max_pool2d(x, [2, 2])\n", {"MaxPool2d"}},
        Expression{"  return torch.upsample_nearest2d(x, [8, 8])\n", {"UpsampleNearest2d"}},
        Expression{"  return torch.dropout(torch.relu(x), 0.5, False)\n", {"Relu"}},
        Expression{"  return torch.conv2d(x, self.w)\n", {"Conv2d"}},
        Expression{"  return (x - self.mean) / self.deviation\n", {"ScaleShift", "ScaleShift"}},
        Expression{"  y = torch.clone(x)\n  y.sub_(self.mean).div_(self.deviation)\n  return y\n",
                   {"ScaleShift", "ScaleShift"}},
        Expression{"  return self.mean - x * 2 + 0.5\n", {"ScaleShift", "ScaleShift", "ScaleShift"}},
        Expression{"  return (1 - torch.matmul(torch.flatten(x, 1), self.m)) * self.b\n",
                   {"Flatten", "Linear", "ScaleShift", "ScaleShift", "ScaleShift"}},
        Expression{"  return torch.constant_pad_nd(x, [1, 2], 0)\n", {"ZeroPad2d"}}));

TEST(TorchscriptTranslate, ObstaclesNameTheOperationAndItsSource) {
  const TemporaryFolder folder;
  const struct {
    std::string source, reason;
  } cases[] = {
      {"torch.cumsum(torch.relu(x), 1)", "aten::cumsum"},
      {"torch.relu(x) * torch.tanh(x)", "aten::mul"},
      {"2 / x", "aten::reciprocal"},
      {"torch.div(x, 2, rounding_mode='floor')", "rounding mode"},
      {"torch.sub(x, 1, alpha=2)", "alpha 2"},
      {"torch.add(x, x, alpha=2)", "alpha 2"},
      {"x + self.b", "neither a number nor one for each channel"},
      {"torch.conv2d(x, self.g, None, [1, 1], [0, 0], [1, 1], 2)", "2 groups"},
      {"torch.conv2d(x, self.w, None, [1, 1], [0, 0], [2, 2])", "dilation 2"},
      {"torch.conv2d(x, self.w, None, [1, 2])", "1x2, which is not square"},
      {"torch.max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], True)", "ceil_mode"},
      {"torch.dropout(x, 0.5, True)", "train=True"},
      {"torch.softmax(x, 2)", "dimension 2"},
      {"torch.upsample_nearest2d(x, [6, 6])", "1.5x1.5, not one whole number"},
      {"torch.upsample_nearest2d(x, None, [2.0, 3.0])", "2x3, not one whole number"},
      {"torch.cat([x, x], 2)", "dimension"},
      {"torch.reshape(x, [2, -1])", "fixed batch size"},
      {"torch.reshape(x, [-1, 16])", "batch dimension"},
      {"torch.flatten(x)", "start_dim 0"},
      {"torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False)", "statistics of the batch"},
      {"torch.relu(x) if bool(torch.sum(x) > 0) else x", "aten::sum"},
      {"torch.constant_pad_nd(x, [1, 1, 1, 1], 2)", "value other than 0"},
      {"(x, 3)", "output"},
      {"torch.relu(x)[:2]", "part of the batch"},
      {"x[:, :, 1:]", "part of an image"},
      {"x[:, [0, 1]]", "another choice than of columns"},
      {"torch.relu(torch.flatten(x, 1))[:, [3, 8]]", "no linear layer"},
      {"torch.linear(torch.flatten(x, 1), self.f)[:, 2:2]", "no list of whole numbers"},
      {"torch.linear(torch.flatten(x, 1), self.f)[:, [0, 3]]", "not among 3"},
  };
  const NamedTensors weights = {
      {"w", random({2, 4, 3, 3})}, {"g", random({2, 2, 3, 3})}, {"b", random({4})}, {"f", random({3, 64})}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.source);
    save_expression(folder / "m.pt", c.source, weights);
    EXPECT_NE(obstacle_of(folder / "m.pt", {4, 4, 4}).find(c.reason), std::string::npos)
        << obstacle_of(folder / "m.pt", {4, 4, 4});
  }
  save_expression(folder / "m.pt", "torch.cumsum(x, 1)");
  EXPECT_EQ(obstacle_of(folder / "m.pt", {4, 4, 4}),
            "aten::cumsum at <string>:2 (return torch.cumsum(x, 1))");
}

TEST(TorchscriptTranslate, ATranslationThatComputesSomethingElseIsRefused) {
  const TemporaryFolder folder;
  // The view shares its data with what is changed in place afterwards; layers do not.
  save_script(folder / "m.pt",
              "def forward(self, x):\n  y = torch.tanh(x)\n  z = torch.flatten(y, 1)\n  torch.sigmoid_(y)\n  "
              "return z\n");
  EXPECT_NE(obstacle_of(folder / "m.pt", {4, 4, 4}).find("differs"), std::string::npos);
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

TEST(ScriptModule, ErrorsAreOneSentenceWithTheFile) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "m.pt";
  const std::string export_line = "torch.jit.script(model.eval()).save(\"model.pt\")";
  test::expect_error([&] { ScriptModule module(file); }, {file.string()});
  test::expect_error([&] { ScriptModule module(folder.path()); }, {folder.path().string()});
  test::put(file, "just some text\n");
  test::expect_error([&] { ScriptModule module(file); },
                     {file.string(), "not a TorchScript file", export_line});
  test::put(file, "");
  test::expect_error([&] { ScriptModule module(file); },
                     {file.string(), "not a TorchScript file", export_line});

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
      {file.string(), "2x4", "cannot be multiplied"});
  save_expression(file, "3");
  test::expect_error([&] { ScriptModule{file}(at::ones({2, 4})); }, {file.string(), "returns Int"});
}

TEST(ScriptModule, WithoutForwardIsAnError) {
  const TemporaryFolder folder;
  save_script(folder / "m.pt", "def backward(self, x):\n  return x\n");
  test::expect_error([&] { ScriptModule module(folder / "m.pt"); }, {"no forward method"});
}

}  // namespace
}  // namespace whence::nn
