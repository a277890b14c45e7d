// Every rule at every operation that adds up, against its formula over a matrix of all weights, in float64.
#include <ostream>

#include "unit/nn/network_support.h"
#include "whence/nn/graph/walk_back.h"

namespace whence::nn {
namespace {

using Matrix = std::vector<std::vector<double>>;

struct RuleCase {
  const char* name;
  Shape input;
  Op op;
};
void PrintTo(const RuleCase& rule_case, std::ostream* out) { *out << rule_case.name; }

/// A layer as z_j = sum_i a_i w[i][j] + b[j] over all values of a sample.
struct Affine {
  Matrix w;
  std::vector<double> b;
};

std::vector<double> numbers(const Tensor& tensor) {
  const Tensor flat = tensor.detach().contiguous().flatten();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

/// Reads the matrix off the layer's answers to unit vectors.
Affine matrix_of(const Network& network, std::int64_t inputs) {
  Shape sizes = {inputs + 1};
  sizes.insert(sizes.end(), network.input_shape().begin(), network.input_shape().end());
  const Tensor units =
      at::cat({at::zeros({1, inputs}, at::kDouble), at::eye(inputs, at::kDouble)}).reshape(sizes);
  const Tensor answers = network.forward(units).flatten(1);
  Affine affine{{}, numbers(answers[0])};
  for (std::int64_t i = 0; i < inputs; ++i) {
    affine.w.push_back(numbers(answers[i + 1] - answers[0]));
    for (double& w : affine.w.back()) w = std::abs(w) < 1e-12 ? 0 : w;
  }
  return affine;
}

double up(double value) { return std::max(value, 0.0); }
double down(double value) { return std::min(value, 0.0); }

/// The numerator of rule `name` for input i, output j, whose value is z; `bias` is what the denominator holds besides their sum.
struct Term {
  double term, bias;
};
Term term_of(std::string_view name, double a, double w, double b, double z) {
  if (name == "epsilon") return {a * w, b};
  if (name == "z_plus" || name == "alpha") return {up(a * w), name == "alpha" ? up(b) : 0};
  if (name == "beta") return {down(a * w), down(b)};
  if (name == "gamma" && z > 0) return {a * w + 0.5 * up(a * w), b + 0.5 * up(b)};
  if (name == "gamma") return {a * w + 0.5 * down(a * w), b + 0.5 * down(b)};
  if (name == "w_square") return {w * w, 0};
  if (name == "flat") return {w != 0 ? 1.0 : 0.0, 0};
  if (name == "z_box") return {a * w + 2 * up(w) - 3 * down(w), 0};
  if (name == "excitation") return {up(a) * up(w), 0};
  return {up(a) * up(-w), 0};  // inhibition
}

std::vector<double> by_formula(std::string_view name, const std::vector<double>& a, const Affine& layer,
                               const std::vector<double>& relevance) {
  std::vector<double> shares(a.size(), 0);
  for (std::size_t j = 0; j < relevance.size(); ++j) {
    double z = layer.b[j], sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) z += a[i] * layer.w[i][j];
    for (std::size_t i = 0; i < a.size(); ++i) sum += term_of(name, a[i], layer.w[i][j], layer.b[j], z).term;
    sum += term_of(name, 0, 0, layer.b[j], z).bias;
    if (name == "epsilon") sum += sum >= 0 ? 0.01 : -0.01;
    if (sum == 0) continue;
    for (std::size_t i = 0; i < a.size(); ++i)
      shares[i] += term_of(name, a[i], layer.w[i][j], layer.b[j], z).term / sum * relevance[j];
  }
  return shares;
}

class RulesOf : public ::testing::TestWithParam<RuleCase> {
 protected:
  void SetUp() override {
    network.add("layer", GetParam().op);
    test_support::randomise(network, generator);
    test_support::to_float64(network);
    Shape batch = {1};
    batch.insert(batch.end(), GetParam().input.begin(), GetParam().input.end());
    x = test_support::randn64(batch, generator);
    activations = network.activations(x);
    start = at::ones_like(activations[1]) + 0.3 * test_support::randn64(activations[1].sizes(), generator);
    affine = matrix_of(network, x.numel());
  }

  std::vector<double> found(const Rule& rule) const {
    return numbers(network.walk_back(activations, {1, start}, rule).input());
  }
  std::vector<double> expected(std::string_view name) const {
    return by_formula(name, numbers(x), affine, numbers(start));
  }
  static void expect_same(const std::vector<double>& found, const std::vector<double>& expected,
                          std::string_view name) {
    ASSERT_EQ(found.size(), expected.size());
    double largest = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-9 * (1 + std::abs(expected[i]))) << name << ", input " << i;
      largest = std::max(largest, std::abs(expected[i]));
    }
    EXPECT_GT(largest, 1e-3) << "a test of nothing";
  }
  bool has_weights() const { return !network.parameters().empty(); }

  Generator generator = make_generator(31, "test");
  Network network{"n", GetParam().input};
  Tensor x, start;
  std::vector<Tensor> activations;
  Affine affine;
};

TEST_P(RulesOf, FollowTheirFormulas) {
  expect_same(found(rule("epsilon", {{"epsilon", 0.01}})), expected("epsilon"), "epsilon");
  expect_same(found(rule("z_plus")), expected("z_plus"), "z_plus");
  expect_same(found(rule("gamma", {{"gamma", 0.5}})), expected("gamma"), "gamma");
  expect_same(found(rule("w_square")), expected("w_square"), "w_square");
  expect_same(found(rule("flat")), expected("flat"), "flat");
  expect_same(found(rule("z_box", {{"low", -2}, {"high", 3}})), expected("z_box"), "z_box");
  expect_same(found(rule("excitation")), expected("excitation"), "excitation");
  if (has_weights()) expect_same(found(rule("inhibition")), expected("inhibition"), "inhibition");
  std::vector<double> both = expected("alpha");
  const std::vector<double> beta = expected("beta");
  for (std::size_t i = 0; i < both.size(); ++i) both[i] = 1.5 * both[i] - 0.5 * beta[i];
  expect_same(found(rule("alpha_beta", {{"alpha", 1.5}, {"beta", 0.5}})), both, "alpha_beta");
}

INSTANTIATE_TEST_SUITE_P(
    Operations, RulesOf,
    ::testing::Values(
        RuleCase{"conv", {2, 5, 4}, Conv2d{3, 3, 2, 1}},
        RuleCase{"conv_without_bias", {2, 4, 4}, Conv2d{2, 3, 1, 1, false}},
        RuleCase{"transposed", {2, 3, 3}, ConvTranspose2d{3, 4, 2, 1}}, RuleCase{"linear", {7}, Linear{4}},
        RuleCase{"linear_of_rows", {3, 4}, Linear{2}}, RuleCase{"avg_pool", {2, 5, 4}, AvgPool2d{2, 2}},
        RuleCase{"padded_avg_pool", {1, 4, 4}, AvgPool2d{3, 2, 1}},
        RuleCase{"conv_in_groups", {4, 3, 3}, Conv2d{.channels = 4, .kernel = 3, .padding = 1, .groups = 2}},
        RuleCase{"conv_of_rows", {2, 3, 5}, Conv2d{.channels = 2, .kernel = {1, 3}}},
        RuleCase{"avg_pool_ceil", {2, 5, 4}, AvgPool2d{2, 2, 0, true}},
        RuleCase{"adaptive_avg_pool", {2, 5, 4}, AdaptiveAvgPool2d{3, 2}},
        RuleCase{"global_avg_pool", {2, 3, 4}, GlobalAvgPool2d{}}),
    [](const auto& instance) { return std::string(instance.param.name); });

/// Two inputs side by side are one longer one.
TEST(RulesOfAdd, FollowTheirFormulas) {
  Generator generator = make_generator(32, "test");
  Network network("n", {4});
  network.add("turned", LeakyRelu{-1});
  network.add("sum", Add{}, {"input", "turned"});
  const Tensor x = test_support::randn64({1, 4}, generator);
  std::vector<Tensor> activations = network.activations(x);
  activations[1] = test_support::randn64({1, 4}, generator);  // any values will do
  activations[2] = activations[0] + activations[1];
  const Tensor start = test_support::randn64({1, 4}, generator);
  Affine affine{Matrix(8, std::vector<double>(4, 0)), std::vector<double>(4, 0)};
  for (std::size_t i = 0; i < 8; ++i) affine.w[i][i % 4] = 1;
  const std::vector<double> a = numbers(at::cat({activations[0], activations[1]}, 1));
  for (const char* name : {"epsilon", "z_plus", "w_square", "flat", "excitation"}) {
    const auto parameters = std::string_view(name) == "epsilon"
                                ? std::map<std::string, double>{{"epsilon", 0.01}}
                                : std::map<std::string, double>{};
    const Rules rules = Rules(rule(name, parameters)).layer("turned", rule("pass"));
    const Relevance found = network.walk_back(activations, {2, start}, rules);
    const std::vector<double> expected = by_formula(name, a, affine, numbers(start));
    const std::vector<double> at_turned = numbers(found.layers[1]), at_input = numbers(found.layers[0]);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(at_turned[i], expected[i + 4], 1e-12) << name;
      EXPECT_NEAR(at_input[i], expected[i] + expected[i + 4], 1e-12) << name;
    }
  }
}

/// One input an output: the shift takes part under epsilon; the other rules have nothing to share.
TEST(RulesOfNormalisation, EpsilonCountsTheShiftAndTheOthersPass) {
  Generator generator = make_generator(33, "test");
  for (const Op& op : {Op(BatchNorm2d{}), Op(ScaleShift{})}) {
    Network network("n", {3, 2, 2});
    network.add("layer", op);
    test_support::randomise(network, generator);
    test_support::to_float64(network);
    const Tensor x = test_support::randn64({1, 3, 2, 2}, generator);
    const std::vector<Tensor> activations = network.activations(x);
    const Tensor start = test_support::randn64({1, 3, 2, 2}, generator);
    const auto found = [&](const Rule& rule) {
      return network.walk_back(activations, {1, start}, rule).input();
    };
    const std::vector<double> expected =
        by_formula("epsilon", numbers(x), matrix_of(network, 12), numbers(start));
    const std::vector<double> epsilon = numbers(found(rule("epsilon", {{"epsilon", 0.01}})));
    for (std::size_t i = 0; i < 12; ++i)
      EXPECT_NEAR(epsilon[i], expected[i], 1e-9 * (1 + std::abs(expected[i])));
    for (const char* name : {"z_plus", "gamma", "alpha_beta", "w_square", "flat", "z_box", "excitation"})
      EXPECT_TRUE(found(rule(name)).equal(start)) << name;
  }
}

/// Every output is one of the inputs: relevance goes back to it, whatever the rule.
TEST(RulesOfCopies, GiveRelevanceToWhatWasCopied) {
  const Tensor x =
      at::tensor({1., 5., 2., 3., -4., 0., 7., 6., -1., -2., -3., -8.}, at::kDouble).view({1, 3, 2, 2});
  for (const RuleRow& row : rule_table()) {
    if (row.name == "pass") continue;
    SCOPED_TRACE(row.name);
    const auto found = [&](const Op& op, const Tensor& start) {
      Network network("n", {3, 2, 2});
      network.add("layer", op);
      return network.walk_back(network.activations(x), {1, start}, rule(row.name)).input();
    };
    const Tensor ones = at::ones({1, 3, 1, 1}, at::kDouble);
    const Tensor winners =
        at::tensor({0., 1., 0., 0., 0., 0., 1., 0., 1., 0., 0., 0.}, at::kDouble).view({1, 3, 2, 2});
    EXPECT_TRUE(found(MaxPool2d{2, 2}, ones).equal(winners));
    const Tensor twelve = at::arange(12, at::kDouble);
    EXPECT_TRUE(found(Flatten{}, twelve.view({1, 12})).equal(twelve.view({1, 3, 2, 2})));
    EXPECT_TRUE(found(Reshape{{2, 6}}, twelve.view({1, 2, 6})).equal(twelve.view({1, 3, 2, 2})));
    EXPECT_TRUE(found(Dropout{0.5}, twelve.view({1, 3, 2, 2})).equal(twelve.view({1, 3, 2, 2})));
    const Tensor wide = at::arange(27, at::kDouble).view({1, 3, 3, 3});
    EXPECT_TRUE(found(ZeroPad2d{1, 0, 0, 1}, wide).equal(wide.narrow(2, 0, 2).narrow(3, 1, 2)));
    const Tensor large = at::ones({1, 3, 4, 4}, at::kDouble);
    EXPECT_TRUE(found(UpsampleNearest2d{2}, large).equal(at::full({1, 3, 2, 2}, 4, at::kDouble)));
  }
}

TEST(RuleTable, EveryRowMakesTheRuleOfItsName) {
  for (const RuleRow& row : rule_table()) {
    EXPECT_EQ(rule(row.name).name, row.name);
    EXPECT_FALSE(row.meaning.empty() || row.formula.empty() || row.source.empty()) << row.name;
  }
}

/// Squeeze-and-excitation, and x * sigmoid(x) written out: the signal keeps all relevance, the gate gets none.
TEST(Rules, AGateGetsNoRelevance) {
  Generator generator = make_generator(5, "test");
  Network network("n", {3, 2, 2});
  network.add("pool", GlobalAvgPool2d{});
  network.add("sigmoid", Sigmoid{});
  network.add("gate", Gate{}, {"input", "sigmoid"});
  test_support::to_float64(network);
  const Tensor x = test_support::randn64({2, 3, 2, 2}, generator);
  const Tensor start = test_support::randn64({2, 3, 2, 2}, generator);
  const auto activations = network.activations(x);
  for (const char* name :
       {"epsilon", "z_plus", "gamma", "alpha_beta", "w_square", "flat", "z_box", "excitation"}) {
    SCOPED_TRACE(name);
    const Relevance found = network.walk_back(activations, {3, start}, rule(name));
    EXPECT_EQ(test_support::largest_difference(found.input(), start), 0);
    EXPECT_EQ(found.layers[2].abs().max().item<double>(), 0);
  }
  const Tensor leaf = x.clone().requires_grad_();
  const Tensor slope = torch::autograd::grad({network.forward(leaf)}, {leaf}, {start}).front();
  EXPECT_LT(test_support::largest_difference(
                network.walk_back(activations, {3, start}, rule("gradient")).input(), slope),
            1e-12);
}

}  // namespace
}  // namespace whence::nn
