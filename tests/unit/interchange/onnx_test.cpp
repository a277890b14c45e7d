// ONNX files against onnxruntime's answers and PyTorch's gradients. tests/fixtures/make_onnx.py made the files.
#include "interchange/onnx_file.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <fstream>

#include "interchange/zip_archive.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/mutation.h"
#include "whence/core/files.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"
#include "whence/models/roles.h"

namespace whence::interchange {
namespace {

namespace fs = std::filesystem;

fs::path onnx_fixture(const std::string& name) { return fs::path(WHENCE_FIXTURES) / "onnx" / name; }

struct OnnxAnswer {
  at::Tensor x, y, dx;
};

using Tensors = std::map<std::string, at::Tensor>;
Tensors tensors_in(const fs::path& file) {
  Tensors tensors;
  for (const nn::NamedTensor& entry : nn::load_safetensors(file).tensors) tensors[entry.name] = entry.tensor;
  return tensors;
}

OnnxAnswer answer_in(const Tensors& tensors, const std::string& prefix = "") {
  return {tensors.at(prefix + "x"), tensors.at(prefix + "y"), tensors.at(prefix + "dx")};
}

double relative_to(const at::Tensor& found, const at::Tensor& expected) {
  if (found.sizes() != expected.sizes()) return INFINITY;
  return ((found - expected).abs().max() / expected.abs().max().clamp_min(1e-12)).item<double>();
}

/// Of gradients. The sum of the squares of what a normalisation puts out hardly changes, so its gradient is a small difference of large numbers;
/// LibTorch 1.13 rounds that of group normalisation by 5e-4 of its largest value.
constexpr double kGradient = TORCH_VERSION_MAJOR >= 2 ? 1e-4 : 1e-3;

/// Outputs, gradients, one image alone, and three of them.
void expect_answer(const nn::ScriptModule& module, const OnnxAnswer& expected) {
  const at::Tensor x = expected.x.clone().requires_grad_();
  const at::Tensor y = module(x).front();
  EXPECT_LT(relative_to(y.detach(), expected.y), 1e-5);
  const at::Tensor dx = torch::autograd::grad({y.square().sum()}, {x}).front();
  EXPECT_LT(relative_to(dx, expected.dx), kGradient);
  const at::Tensor one = module(expected.x.narrow(0, 1, 1)).front(),
                   again = module(at::cat({expected.x, expected.x.narrow(0, 0, 1)})).front();
  const std::int64_t rows = expected.y.size(0) / expected.x.size(0);
  EXPECT_LT(relative_to(one, expected.y.narrow(0, rows, rows)), 1e-5) << "one image";
  EXPECT_LT(relative_to(again.narrow(0, 0, expected.y.size(0)), expected.y), 1e-5) << "one image more";
}

TEST(OnnxOperators, GiveOnnxruntimesAnswersAndPyTorchsGradients) {
  const test::TemporaryFolder folder;
  const ZipArchive archive(onnx_fixture("operators.zip"));
  write_file(folder / "expected.safetensors", archive.read("operators.safetensors"));
  const Tensors expected = tensors_in(folder / "expected.safetensors");
  std::size_t operators = 0;
  for (const std::string& name : archive.find("", ".onnx")) {
    SCOPED_TRACE(name);
    write_file(folder / name, archive.read(name));
    try {
      const nn::ScriptModule module(folder / name);
      expect_answer(module,
                    answer_in(expected, name.substr(0, name.size() - 4).replace(name.size() - 5, 1, "/")));
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    ++operators;
  }
  EXPECT_GE(operators, 150u);
}

class OnnxModels : public testing::TestWithParam<const char*> {};

TEST_P(OnnxModels, GiveTheirWritersAnswersAndGradients) {
  const nn::ScriptModule module(onnx_fixture(std::string(GetParam()) + ".onnx"));
  expect_answer(module, answer_in(tensors_in(onnx_fixture(std::string(GetParam()) + ".safetensors"))));
}

INSTANTIATE_TEST_SUITE_P(Files, OnnxModels,
                         testing::Values("layers_script", "layers_dynamo", "opaque_script", "opaque_dynamo",
                                         "attention_script", "attention_dynamo", "one_image", "keras", "mlp",
                                         "mlp_plain", "function", "condition", "half", "bfloat16", "double",
                                         "listed", "external"),
                         [](const auto& of) { return std::string(of.param); });

TEST(OnnxAsLayers, IsTheSameFunctionWithItsNames) {
  for (const char* name : {"layers_script", "layers_dynamo"}) {
    const OnnxAnswer expected = answer_in(tensors_in(onnx_fixture(std::string(name) + ".safetensors")));
    std::string obstacle;
    const auto network =
        nn::ScriptModule(onnx_fixture(std::string(name) + ".onnx")).translate({1, 12, 12}, &obstacle);
    ASSERT_TRUE(network) << obstacle;
    EXPECT_LT(relative_to(network->forward(expected.x), expected.y), 1e-5);
    for (const char* layer : {"conv1", "conv2", "fc"}) EXPECT_NO_THROW(network->find(layer)) << name << layer;
  }
}

TEST(OnnxAsLayers, TakesTheOrdersOfColoursAndFlatteningAway) {
  const OnnxAnswer expected = answer_in(tensors_in(onnx_fixture("keras.safetensors")));
  const nn::ScriptModule module(onnx_fixture("keras.onnx"));
  EXPECT_EQ(module.input_shape(), (nn::Shape{3, 8, 8}));
  std::string obstacle;
  const auto network = module.translate({3, 8, 8}, &obstacle);
  if (network) {
    EXPECT_LT(relative_to(network->forward(expected.x), expected.y), 1e-5);
  } else {
    EXPECT_EQ(obstacle.find("permute"), std::string::npos) << obstacle;
  }
}

TEST(OnnxAsLayers, TakesRowsFromImages) {
  const Tensors tensors = tensors_in(onnx_fixture("mlp.safetensors"));
  const nn::ScriptModule module(onnx_fixture("mlp.onnx"));
  EXPECT_EQ(module.input_shape(), (nn::Shape{16}));
  const at::Tensor images = tensors.at("x").reshape({-1, 1, 4, 4});
  EXPECT_LT(relative_to(module(images).front(), tensors.at("y")), 1e-5);
  const auto classifier = models::load_classifier(onnx_fixture("mlp.onnx"), images);
  ASSERT_NE(classifier->network(), nullptr) << classifier->why_opaque();
  EXPECT_LT(relative_to(classifier->logits(images).softmax(1), tensors.at("y")), 1e-5);
}

/// PyTorch's exporter writes as_strided as a choice of places in the row of all numbers, across samples.
TEST(OnnxAsLayers, TakesPlacesOfEverySampleAsReshapes) {
  const test::TemporaryFolder folder;
  const ZipArchive archive(onnx_fixture("operators.zip"));
  write_file(folder / "m.onnx", archive.read("places_in_order.onnx"));
  std::string obstacle;
  const auto network = nn::ScriptModule(folder / "m.onnx").translate({3, 2, 2}, &obstacle);
  ASSERT_TRUE(network) << obstacle;
  const at::Tensor x = at::rand({4, 3, 2, 2});
  EXPECT_TRUE(at::equal(network->forward(x), x));
}

TEST(OnnxAsLayers, NamesTheOperationThatStandsInTheWay) {
  std::string obstacle;
  EXPECT_FALSE(nn::ScriptModule(onnx_fixture("attention_dynamo.onnx")).translate({1, 12, 12}, &obstacle));
  EXPECT_FALSE(obstacle.empty());
}

TEST(OnnxRefused, SaysWhyInOneSentence) {
  const std::pair<const char*, const char*> files[] = {
      {"outside", "leaves its folder"},
      {"unknown", "com.example.Frobnicate"},
      {"quantized", "no gradient passes"},
      {"random", "random numbers"},
      {"batch_mean", "each changes the others"},
      {"tree", "decision tree"},
      {"opset_8", "version 8"},
      {"open_size", "open"},
      {"two_inputs", "several inputs"},
  };
  for (const auto& [name, because] : files)
    test::expect_error([&] { const nn::ScriptModule module(onnx_fixture(std::string(name) + ".onnx")); },
                       {because, name});
}

TEST(OnnxExternalWeights, AreReadBesideTheModelOnly) {
  const test::TemporaryFolder folder;
  fs::copy_file(onnx_fixture("external.onnx"), folder / "external.onnx");
  const auto load = [&] { const nn::ScriptModule module(folder / "external.onnx"); };
  test::expect_error(load, {"external.onnx.data", "is not there"});
  fs::create_symlink(onnx_fixture("external.onnx.data"), folder / "external.onnx.data");
  test::expect_error(load, {"symbolic link"});
  fs::remove(folder / "external.onnx.data");
  write_file(folder / "external.onnx.data", read_file(onnx_fixture("external.onnx.data")).substr(0, 40));
  test::expect_error(load, {"cut off"});
  write_file(folder / "external.onnx.data", read_file(onnx_fixture("external.onnx.data")));
  EXPECT_NO_THROW(load());
}

/// A few of the damaged files of tests/fuzz, which reads a million.
TEST(OnnxDamaged, IsReadOrRefusedInOneSentence) {
  const test::TemporaryFolder folder;
  const ZipArchive archive(onnx_fixture("operators.zip"));
  std::vector<std::string> models;
  for (const std::string& name : archive.find("", ".onnx")) models.push_back(archive.read(name));
  for (const fs::directory_entry& entry : fs::directory_iterator(onnx_fixture("")))
    if (entry.path().extension() == ".onnx") models.push_back(read_file(entry.path()));
  std::sort(models.begin(), models.end());
  std::mt19937_64 random(0);
  std::size_t refused = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes =
        test::mutated(models[random() % models.size()], models[random() % models.size()], random);
    const fs::path file = folder / "model.onnx";
    { std::ofstream(file, std::ios::binary) << bytes; }
    try {
      load_onnx(file);
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(refused, 500u);
}

TEST(OnnxFile, IsKnownByItsNameOrContent) {
  const test::TemporaryFolder folder;
  fs::copy_file(onnx_fixture("layers_script.onnx"), folder / "model.bin");
  EXPECT_TRUE(is_onnx(folder / "model.bin"));
  EXPECT_TRUE(is_onnx("anything.ONNX"));
  write_file(folder / "text.bin", "\x08 this is not a message");
  EXPECT_FALSE(is_onnx(folder / "text.bin"));
  write_file(folder / "empty.onnx", "");
  test::expect_error([&] { const nn::ScriptModule module(folder / "empty.onnx"); }, {"is empty"});
}

}  // namespace
}  // namespace whence::interchange
