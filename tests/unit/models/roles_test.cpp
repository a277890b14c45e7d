#include "whence/models/roles.h"

#include "support/errors.h"
#include "support/files.h"
#include "support/script_module.h"
#include "whence/core/random.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

using test::save_expression;
using test::TemporaryFolder;

at::Tensor images(std::int64_t count = 4) {
  return at::rand({count, 1, 4, 4}, make_generator(0, "test/images"));
}
at::Tensor matrix(std::int64_t rows, std::int64_t columns) {
  return at::randn({rows, columns}, make_generator(1, "test/matrix"));
}
double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

nn::Network initialised(nn::Network network) {
  Generator generator = make_generator(2, "test/network");
  nn::initialise(network, {}, generator);
  return network;
}

// Known operations are translated; the cumulative sum is none of them and keeps a module opaque.
const std::string linear = "torch.matmul(torch.flatten(x, 1), self.w)";
const std::string opaque = "torch.matmul(torch.cumsum(torch.flatten(x, 1), 1), self.w)";

class ScriptRoles : public testing::Test {
 protected:
  void write(const std::string& expression, std::int64_t rows = 16, std::int64_t columns = 3) {
    save_expression(file, expression, {{"w", matrix(rows, columns)}});
  }
  TemporaryFolder folder;
  std::filesystem::path file = folder / "m.pt";
};

TEST(NetworkRoles, ComputeWhatTheNetworksComputeAndAreFrozen) {
  const nn::Network cnn = initialised(base_cnn({.image = {1, 12, 12}, .width = 4}));
  const auto classifier = as_classifier(cnn);
  const at::Tensor x = at::rand({3, 1, 12, 12}, make_generator(3, "x")).set_requires_grad(true);
  EXPECT_EQ(classifier->classes(), 2);
  EXPECT_EQ(difference(classifier->logits(x), cnn.forward(x)), 0);
  classifier->logits(x).sum().backward();
  EXPECT_GT(x.grad().abs().max().item<double>(), 0);
  for (const nn::NamedTensor& p : classifier->network()->parameters()) EXPECT_FALSE(p.tensor.requires_grad());

  const nn::Network generator = initialised(cvae_decoder({.latents = 5, .width = 4}));
  const auto decoder = as_decoder(generator);
  EXPECT_EQ(decoder->latents(), 5);
  EXPECT_EQ(difference(decoder->decode(at::ones({2, 5})), generator.forward(at::ones({2, 5}))), 0);

  const auto encoder = as_encoder(initialised(cvae_encoder({.latents = 5, .width = 4})));
  EXPECT_EQ(encoder->latents(), 5);
  const Posterior posterior = encoder->encode(at::rand({2, 1, 28, 28}, make_generator(7, "x")));
  EXPECT_EQ(posterior.mean.sizes(), at::IntArrayRef({2, 5}));
  EXPECT_GT(difference(posterior.mean, posterior.log_variance), 0);
}

TEST(NetworkRoles, KeepTheirWeightsWhenTheNetworkIsTrainedOn) {
  nn::Network network("n", {3});
  network.add("fc", nn::Linear{2});
  const auto classifier = as_classifier(network);
  {
    const at::NoGradGuard no_grad;
    network.parameters()[0].tensor.fill_(1);
  }
  EXPECT_EQ(classifier->logits(at::ones({1, 3})).abs().max().item<double>(), 0);
}

TEST(NetworkRoles, NetworksOfAnotherKindAreErrors) {
  nn::Network image("picture", {1, 4, 4});
  image.add("conv", nn::Conv2d{2, 3});
  test::expect_error([&] { as_classifier(image); }, {"picture", "no classifier"});
  test::expect_error([&] { as_decoder(image); }, {"picture", "no decoder"});
  test::expect_error([&] { as_encoder(image); }, {"picture", "no encoder"});
  nn::Network one("single", {4});
  one.add("fc", nn::Linear{1});
  test::expect_error([&] { as_classifier(one); }, {"single", "2 or more"});
}

TEST_F(ScriptRoles, LogitsOfKnownAndUnknownModules) {
  for (const std::string& expression : {linear, opaque}) {
    SCOPED_TRACE(expression);
    write(expression);
    const auto classifier = load_classifier(file, images());
    EXPECT_EQ(classifier->network() != nullptr, expression == linear);
    EXPECT_EQ(classifier->classes(), 3);
    const at::Tensor flat = images().flatten(1);
    const at::Tensor expected = at::matmul(expression == linear ? flat : flat.cumsum(1), matrix(16, 3));
    EXPECT_LT(difference(classifier->logits(images()), expected), 1e-5);
  }
}

TEST_F(ScriptRoles, GradientsReachTheInputAndOnlyTheInput) {
  for (const std::string& expression : {linear, opaque}) {
    write(expression);
    const auto classifier = load_classifier(file, images());
    const at::Tensor x = images().set_requires_grad(true);
    const at::Tensor logits = classifier->logits(x);
    logits.select(1, 2).sum().backward();
    const at::Tensor column = matrix(16, 3).select(1, 2);
    // d/dx_i of sum_j w_j sum_{i <= j} x_i
    const at::Tensor expected = expression == linear ? column : column.flip(0).cumsum(0).flip(0);
    EXPECT_LT(difference(x.grad().flatten(1), expected.expand({4, 16})), 1e-5);
    EXPECT_FALSE(classifier->logits(images()).requires_grad());
  }
}

TEST_F(ScriptRoles, ProbabilitiesAreRecognisedAndBecomeLogits) {
  for (const std::string& expression : {linear, opaque}) {
    SCOPED_TRACE(expression);
    write("torch.softmax(" + expression + ", 1)");
    const at::Tensor p = nn::ScriptModule(file)(images()).front();
    for (const ClassifierOutput output : {ClassifierOutput::automatic, ClassifierOutput::probabilities}) {
      const auto classifier = load_classifier(file, images(), output);
      EXPECT_LT(difference(at::softmax(classifier->logits(images()), 1), p), 1e-5);
    }
    const auto taken_as_logits = load_classifier(file, images(), ClassifierOutput::logits);
    EXPECT_LT(difference(taken_as_logits->logits(images()), p), 1e-6);
  }
}

TEST_F(ScriptRoles, ProbabilitiesOfZeroHaveFiniteLogits) {
  write("torch.cat([torch.ones_like(x[:, 0, 0, :1]), torch.zeros_like(x[:, 0, 0, :1])], 1)");
  const at::Tensor logits = load_classifier(file, images())->logits(images());
  EXPECT_NEAR(logits[0][0].item<double>(), 0, 1e-6);
  EXPECT_NEAR(logits[0][1].item<double>(), std::log(1e-12), 1e-3);
}

TEST_F(ScriptRoles, TranslatedModulesRunInTheAskedPrecision) {
  save_expression(file, "torch.flatten(torch.conv2d(torch.conv2d(x, self.a), self.b), 1)",
                  {{"a", at::randn({8, 1, 3, 3}, make_generator(4, "a"))},
                   {"b", at::randn({3, 8, 2, 2}, make_generator(5, "b"))}});
  const at::Tensor exact = load_classifier(file, images())->logits(images());
  const at::Tensor narrow =
      load_classifier(file, images(), ClassifierOutput::automatic, Precision::bfloat16)->logits(images());
  EXPECT_EQ(narrow.scalar_type(), at::kFloat);
  EXPECT_GT(difference(exact, narrow), 0);
  EXPECT_LT(difference(exact, narrow), 0.05 * exact.abs().max().item<double>());
}

TEST_F(ScriptRoles, ClassifiersThatCannotServeAreErrors) {
  const auto expect = [&](const std::string& expression, const std::vector<std::string>& parts,
                          ClassifierOutput output = ClassifierOutput::automatic) {
    SCOPED_TRACE(expression);
    write(expression);
    std::vector<std::string> all = {file.string()};
    all.insert(all.end(), parts.begin(), parts.end());
    test::expect_error([&] { load_classifier(file, images(), output); }, all);
  };
  expect("torch.matmul(x, self.w)", {"4x1x4x4", "torch.matmul(x, self.w)"});
  expect("x", {"4x1x4x4", "one row of class scores"});
  expect("torch.sum(x)", {"nothing", "one row per sample"});
  expect("torch.flatten(x[:2], 1)", {"2x16", "batch of 4"});
  expect("torch.argmax(torch.flatten(x, 1), 1)", {"Long", "floating-point"});
  expect(linear + " / 0.0 * 0.0", {"NaN or infinity"});
  expect("(x, x)", {"2 tensors"});
  expect(linear, {"probabilities", "logits"}, ClassifierOutput::probabilities);
  expect("torch.softmax(" + linear + ", 1) * 1.01", {"sums from 1.01"}, ClassifierOutput::probabilities);
}

TEST(NetworkRoles, TellTheShapeOfTheirImages) {
  const auto classifier = as_classifier(initialised(base_cnn({.image = {3, 12, 14}, .width = 4})));
  EXPECT_EQ(classifier->input_shape(), (nn::Shape{3, 12, 14}));
  const auto encoder = as_encoder(initialised(cvae_encoder({.latents = 5, .width = 4})));
  ASSERT_NE(encoder->network(), nullptr);
  EXPECT_EQ(encoder->input_shape(), (nn::Shape{1, 28, 28}));
}

TEST(NetworkRoles, OnePixelOfClassesIsARowOfThem) {
  nn::Network network("convolutional", {2, 5, 5});
  network.add("flat_output", nn::Conv2d{3, 3});
  network.add("pool", nn::GlobalAvgPool2d{});
  network = initialised(network);
  const auto classifier = as_classifier(network);
  const at::Tensor x = at::rand({4, 2, 5, 5}, make_generator(8, "x"));
  EXPECT_EQ(classifier->classes(), 3);
  EXPECT_EQ(difference(classifier->logits(x), network.forward(x).flatten(1)), 0);
  EXPECT_EQ(classifier->network()->output_shape(), nn::Shape{3});
}

TEST_F(ScriptRoles, OnePixelOfClassesIsARowOfThem) {
  for (const std::string& expression :
       {std::string("torch.conv2d(x, self.w)"), std::string("torch.conv2d(torch.cumsum(x, 1), self.w)")}) {
    for (const bool softmax : {false, true}) {
      SCOPED_TRACE(expression);
      const at::Tensor weight = at::randn({3, 1, 4, 4}, make_generator(9, "w"));
      save_expression(file, softmax ? "torch.softmax(" + expression + ", 1)" : expression, {{"w", weight}});
      const auto classifier = load_classifier(file, images());
      EXPECT_EQ(classifier->network() != nullptr, expression.find("cumsum") == std::string::npos);
      const at::Tensor expected = at::conv2d(images(), weight).flatten(1);
      EXPECT_EQ(classifier->logits(images()).sizes(), at::IntArrayRef({4, 3}));
      EXPECT_LT(difference(at::log_softmax(classifier->logits(images()), 1), at::log_softmax(expected, 1)),
                1e-4);
    }
  }
}

TEST_F(ScriptRoles, ModulesThatAreNoFunctionOfOneImageAreErrors) {
  write(opaque + " + torch.rand([x.size(0), 3])");
  test::expect_error([&] { load_classifier(file, images()); },
                     {file.string(), "random", "torch.rand", "model.eval()"});
  write(opaque + " - torch.mean(x)");
  test::expect_error([&] { load_classifier(file, images()); }, {file.string(), "alone", "evaluation mode"});
  write(linear + " + torch.mean(x)", 16, 6);
  test::expect_error([&] { load_encoder(file, images()); }, {file.string(), "alone"});
}

TEST_F(ScriptRoles, ClassifiersWithoutAProbeNeedAFileThatTellsTheShape) {
  const nn::Network network = initialised(base_cnn({.image = {3, 12, 14}, .width = 4}));
  nn::export_torchscript(network, file);
  const auto classifier = load_classifier(file);
  EXPECT_EQ(classifier->input_shape(), (nn::Shape{3, 12, 14}));
  const at::Tensor x = at::rand({2, 3, 12, 14}, make_generator(10, "x"));
  EXPECT_LT(difference(classifier->logits(x), network.forward(x)), 1e-5);

  write(opaque);
  EXPECT_TRUE(load_classifier(file, images())->input_shape().empty());
  test::expect_error([&] { load_classifier(file); },
                     {file.string(), "does not tell the shape of its images", "no convolution", "3x32x32"});
}

TEST_F(ScriptRoles, DecodersOfAnyImageShape) {
  for (const std::string& wrap : {std::string("torch.relu"), std::string("torch.abs")}) {
    write("torch.reshape(" + wrap + "(torch.matmul(x, self.w)), [x.size(0), 3, 2, 5])", 6, 30);
    const auto decoder = load_decoder(file, 6);
    EXPECT_EQ(decoder->network() != nullptr, wrap == "torch.relu");
    EXPECT_EQ(decoder->latents(), 6);
    const at::Tensor z = at::randn({7, 6}, make_generator(6, "z"));
    const at::Tensor product = at::matmul(z, matrix(6, 30)).reshape({7, 3, 2, 5});
    EXPECT_LT(difference(decoder->decode(z), wrap == "torch.relu" ? product.relu() : product.abs()), 1e-5);
  }
}

TEST_F(ScriptRoles, DecodersThatCannotServeAreErrors) {
  save_expression(file, "torch.linear(x, self.w)", {{"w", matrix(8, 6)}});
  test::expect_error([&] { load_decoder(file, 4); }, {file.string(), "2x4", "takes 6 numbers", "4 latents"});
  write("torch.sum(x, 1)");
  test::expect_error([&] { load_decoder(file, 4); }, {file.string(), "images"});
  write("torch.log(x - 1)");
  test::expect_error([&] { load_decoder(file, 4); }, {file.string(), "NaN"});
}

TEST_F(ScriptRoles, EncodersReturnAPairOrBothInOne) {
  const at::Tensor product = at::matmul(images().flatten(1), matrix(16, 6));
  for (const std::string& expression : {linear, opaque}) {
    const at::Tensor all =
        expression == linear ? product : at::matmul(images().flatten(1).cumsum(1), matrix(16, 6));
    write(expression, 16, 6);
    const auto joined = load_encoder(file, images());
    EXPECT_EQ(joined->latents(), 3);
    EXPECT_LT(difference(joined->encode(images()).mean, all.slice(1, 0, 3)), 1e-5);
    EXPECT_LT(difference(joined->encode(images()).log_variance, all.slice(1, 3, 6)), 1e-5);
    write("(" + expression + ", torch.tanh(" + expression + "))", 16, 6);
    const auto pair = load_encoder(file, images());
    EXPECT_EQ(pair->latents(), 6);
    EXPECT_LT(difference(pair->encode(images()).mean, all), 1e-5);
    EXPECT_LT(difference(pair->encode(images()).log_variance, all.tanh()), 1e-5);
  }
  write(linear, 16, 3);
  test::expect_error([&] { load_encoder(file, images()); }, {file.string(), "mean and the log-variance"});
  write("(x, x, x)");
  test::expect_error([&] { load_encoder(file, images()); }, {file.string(), "3 tensors"});
}

}  // namespace
}  // namespace whence::models
