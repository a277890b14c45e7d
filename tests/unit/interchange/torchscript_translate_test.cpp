// Scripts of one expression each: the layers that they become, and the obstacles to it.
#include <gtest/gtest.h>

#include <limits>

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
                                {"columns", at::tensor({4, 1}, at::kLong)},
                                {"deep", random({4, 1, 3, 3}, 7)},
                                {"row", random({2, 4, 1, 3}, 8)},
                                {"last", random({4}, 9)}};
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
        Expression{"  y = torch.relu(x)\n  y += x\n  return y\n", {"Relu", "Add"}},
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
        Expression{"  return torch.conv2d(x, self.deep, None, [1, 1], [1, 1], [1, 1], 4)\n", {"Conv2d"}},
        Expression{"  return torch.conv2d(x, self.row, None, [1, 2], [0, 1], [1, 1], 1)\n", {"Conv2d"}},
        Expression{"  return torch.conv2d(x, self.deep, None, [1, 1], 'same', [1, 1], 4)\n", {"Conv2d"}},
        Expression{"  return torch.silu(torch.hardtanh(x, 0., 6.))\n", {"Hardtanh", "Silu"}},
        Expression{"  return torch.clamp(torch.hardsigmoid(torch.hardswish(x)), 0.2, 0.7)\n",
                   {"Hardswish", "Hardsigmoid", "Hardtanh"}},
        Expression{"  return torch.gelu(torch.gelu(x), approximate='tanh')\n", {"Gelu", "Gelu"}},
        Expression{"  return torch.adaptive_avg_pool2d(x, [3, 2])\n", {"AdaptiveAvgPool2d"}},
        Expression{"  return torch.max_pool2d(x, [3, 3], [2, 2], [0, 0], [1, 1], True)\n", {"MaxPool2d"}},
        Expression{"  return torch.avg_pool2d(x, [3, 3], [2, 2], [1, 1], True, False)\n", {"AvgPool2d"}},
        // squeeze-and-excitation, either way round, and x * sigmoid(x)
        Expression{"  return x * torch.sigmoid(torch.adaptive_avg_pool2d(x, [1, 1]))\n",
                   {"GlobalAvgPool2d", "Sigmoid", "Gate"}},
        Expression{"  return torch.mean(x, [2, 3], True) * x\n", {"GlobalAvgPool2d", "Gate"}},
        Expression{"  y = torch.tanh(x)\n  return torch.sigmoid(y) * y\n", {"Tanh", "Sigmoid", "Gate"}},
        // the channels of a block shuffled, as ShuffleNet does
        Expression{"  a, b = torch.chunk(x, 2, 1)\n  y = torch.cat([b, torch.relu(a)], 1)\n"
                   "  n, c, h, w = y.shape\n  y = torch.transpose(y.view(n, 2, 2, h, w), 1, 2)\n"
                   "  return y.reshape(n, 4, h, w)\n",
                   {"Slice", "Slice", "Relu", "Concat", "Reshape", "Permute", "Reshape"}},
        Expression{"  return torch.cat(torch.split(x, [1, 3], 1), 1)\n", {"Slice", "Slice", "Concat"}},
        Expression{"  y = torch.layer_norm(x.permute(0, 2, 3, 1), [4], self.last, self.last, 1e-5)\n"
                   "  return y.permute(0, 3, 1, 2)\n",
                   {"Permute", "LayerNorm", "Permute"}},
        Expression{"  return torch.cat([torch.unsqueeze(x[:, 1], 1) * 2 + 1, x[:, 2:]], 1)\n",
                   {"Slice", "Reshape", "Reshape", "ScaleShift", "ScaleShift", "Slice", "Concat"}},
        Expression{"  return torch.squeeze(torch.squeeze(torch.mean(x, [2, 3], True), 3), 2)\n",
                   {"GlobalAvgPool2d", "Reshape", "Flatten"}},
        // collected and then concatenated, as DenseNet does
        Expression{"  found = [x]\n  found.append(torch.relu(torch.cat(found, 1)))\n"
                   "  found.append(torch.tanh(torch.cat(found, 1)))\n  return torch.cat(found, 1)\n",
                   {"Relu", "Concat", "Tanh", "Concat"}},
        Expression{"  return torch.constant_pad_nd(x, [1, 2], 0)\n", {"ZeroPad2d"}}));

TEST(TorchscriptTranslate, ObstaclesNameTheOperationAndItsSource) {
  const TemporaryFolder folder;
  const struct {
    std::string source, reason;
  } cases[] = {
      {"torch.cumsum(torch.relu(x), 1)", "aten::cumsum"},
      {"torch.relu(x) * torch.tanh(x)", "neither is a gate"},
      {"2 / x", "aten::reciprocal"},
      {"torch.div(x, 2, rounding_mode='floor')", "rounding mode"},
      {"torch.sub(x, 1, alpha=2)", "alpha 2"},
      {"torch.add(x, x, alpha=2)", "alpha 2"},
      {"x + self.b", "neither a number nor one for each channel"},
      {"torch.conv2d(x, self.g, None, [1, 1], [0, 0], [1, 1], 4)", "weights for 8 channels behind 4"},
      {"torch.max_pool2d(x, [2, 1])", "2x1, which is not square"},
      {"torch.relu(x) + torch.detach(x)", "gradient differs"},
      {"torch.conv2d(x, self.n)", "NaN or infinite for random inputs"},
      {"torch.layer_norm(x, [4, 4, 4])", "other dimensions than the last"},
      {"torch.permute(x, [1, 0, 2, 3])", "moves the batch"},
      {"torch.squeeze(x)", "no dimension to squeeze"},
      {"torch.clamp(x, 0)", "one bound only"},
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
      {"x[:, ::2]", "do not follow one another"},
      {"torch.relu(torch.flatten(x, 1))[:, [3, 8]]", "no linear layer"},
      {"torch.linear(torch.flatten(x, 1), self.f)[:, 2:2]", "no list of whole numbers"},
      {"torch.linear(torch.flatten(x, 1), self.f)[:, [0, 3]]", "not among 3"},
  };
  const NamedTensors weights = {{"w", random({2, 4, 3, 3})},
                                {"g", random({2, 2, 3, 3})},
                                {"b", random({4})},
                                {"f", random({3, 64})},
                                {"n", at::full({2, 4, 3, 3}, std::numeric_limits<float>::quiet_NaN())}};
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

/// The outputs agree, but not how they change.
TEST(TorchscriptTranslate, ATranslationWithAnotherGradientIsRefused) {
  const TemporaryFolder folder;
  save_script(folder / "m.pt",
              "def forward(self, x):\n  y = torch.tanh(x)\n  z = y.data\n  return torch.relu(x) + z\n");
  EXPECT_NE(obstacle_of(folder / "m.pt", {4, 4, 4}), "");
}

}  // namespace
}  // namespace whence::nn
