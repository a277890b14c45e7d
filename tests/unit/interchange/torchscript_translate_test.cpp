// Scripts of one expression each: the layers that they become, and the obstacles to it.
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

std::string obstacle_of(const std::filesystem::path& path, const Shape& input) {
  std::string obstacle;
  EXPECT_FALSE(ScriptModule(path).translate(input, &obstacle).has_value());
  return obstacle;
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
  const Network network = translated(folder / "m.pt", {4, 4, 4});
  std::vector<std::string> operations;
  for (const Layer& layer : network.layers()) operations.emplace_back(name_of(layer.op));
  operations.erase(operations.begin());
  EXPECT_EQ(operations, GetParam().operations);
  const at::Tensor x = random({2, 4, 4, 4}, 4);
  EXPECT_LT(difference(network.forward(x), ScriptModule(folder / "m.pt")(x)[0]), 1e-5);
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

}  // namespace
}  // namespace whence::nn
