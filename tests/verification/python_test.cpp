// Files that cross between whence and Python's PyTorch, both ways.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/files.h"
#include "support/python.h"
#include "whence/core/random.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/roles.h"
#include "whence/models/zoo/zoo.h"

namespace whence {
namespace {

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Python, ReadsOurSafetensors) {
  WHENCE_REQUIRE_PYTHON(python, "numpy");
  const test::TemporaryFolder folder;
  const at::ScalarType types[] = {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                  at::kInt,    at::kShort, at::kChar, at::kByte,     at::kBool};
  nn::NamedTensors tensors = {{"scalar", at::scalar_tensor(2.5)}, {"empty", at::empty({0, 4})}};
  for (const at::ScalarType type : types) {
    const at::Tensor values = type == at::kBool ? at::arange(6).remainder(2) : at::arange(6) * 1.5 + 0.25;
    tensors.push_back({at::toString(type), values.to(type).reshape({3, 2})});
  }
  nn::save_safetensors(folder / "w.safetensors", tensors, {{"architecture", "base cnn"}});
  const test::ProgramResult run =
      test::run_python(python, "verification/read_safetensors.py", {(folder / "w.safetensors").string()});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const nlohmann::json read = nlohmann::json::parse(run.output);
  EXPECT_EQ(read["metadata"], nlohmann::json({{"architecture", "base cnn"}}));
  ASSERT_EQ(read["tensors"].size(), tensors.size());
  for (const nn::NamedTensor& t : tensors) {
    const nlohmann::json& found = read["tensors"].at(t.name);
    EXPECT_EQ(found["shape"], nlohmann::json(t.tensor.sizes().vec())) << t.name;
    const at::Tensor expected = t.tensor.to(at::kDouble).contiguous().flatten();
    const std::vector<double> values(expected.data_ptr<double>(),
                                     expected.data_ptr<double>() + expected.numel());
    EXPECT_EQ(found["values"], nlohmann::json(values)) << t.name;
  }
}

/// Exports the network, runs it in Python, and compares outputs and the names in its state dict.
void check_export(const std::string& python, nn::Network network) {
  SCOPED_TRACE(network.name());
  const test::TemporaryFolder folder;
  Generator generator = make_generator(0, "test/export");
  nn::initialise(network, {}, generator);
  nn::Shape sizes = {3};
  sizes.insert(sizes.end(), network.input_shape().begin(), network.input_shape().end());
  const at::Tensor x = at::rand(sizes, generator);
  nn::NamedTensors tensors = {{"x", x}};
  for (const at::Tensor& output : network.forward_all(x)) {
    tensors.push_back({"output" + std::to_string(tensors.size() - 1), output.detach()});
  }
  nn::export_torchscript(network, folder / "m.pt");
  nn::save_safetensors(folder / "t.safetensors", tensors);
  const test::ProgramResult run =
      test::run_python(python, "verification/run_exported.py",
                       {(folder / "m.pt").string(), (folder / "t.safetensors").string()});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const nlohmann::json report = nlohmann::json::parse(run.output);
  ASSERT_EQ(report["differences"].size(), tensors.size() - 1);
  for (const nlohmann::json& value : report["differences"]) EXPECT_LT(value.get<double>(), 1e-6);
  nlohmann::json state;
  for (const nn::NamedTensor& t : network.state()) state[t.name] = t.tensor.sizes().vec();
  EXPECT_EQ(report["state"], state);
}

TEST(Python, RunsOurExportedNetworks) {
  WHENCE_REQUIRE_PYTHON(python, "torch, numpy");
  check_export(python, models::base_cnn({.classes = 3, .width = 8}));
  check_export(python, models::cvae_encoder({.width = 8}));
  check_export(python, models::cvae_decoder({.width = 8, .batch_norm = true}));
  check_export(python, models::small_densenet({.image = {1, 28, 28}, .width = 4}));
  check_export(python, models::parafita_decoder(models::ParafitaSet::cifar10, {.latents = 5, .width = 4}));
}

/// What make_models.py says about one model.
std::map<std::string, at::Tensor> facts_of(const std::filesystem::path& file) {
  std::map<std::string, at::Tensor> facts;
  for (const nn::NamedTensor& t : nn::load_safetensors(file).tensors) facts[t.name] = t.tensor;
  return facts;
}

at::Tensor gradient_of_log_probability(const models::Classifier& classifier, const at::Tensor& x) {
  const at::Tensor input = x.clone().set_requires_grad(true);
  at::log_softmax(classifier.logits(input), 1).select(1, 1).sum().backward();
  return input.grad();
}

void check_translation(const std::filesystem::path& folder, const std::string& name,
                       const std::string& kind) {
  SCOPED_TRACE(name + " " + kind);
  const std::map<std::string, at::Tensor> facts = facts_of(folder / (name + ".safetensors"));
  const at::Tensor& x = facts.at("x");
  std::string obstacle;
  const std::optional<nn::Network> network =
      nn::ScriptModule(folder / (name + "." + kind + ".pt")).translate(x.sizes().slice(1).vec(), &obstacle);
  ASSERT_TRUE(network.has_value()) << obstacle;
  const std::vector<at::Tensor> outputs = network->forward_all(x);
  ASSERT_EQ(outputs.size() + 2, facts.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const at::Tensor& expected = facts.at("output" + std::to_string(i));
    ASSERT_EQ(outputs[i].sizes(), expected.sizes());
    EXPECT_LT(difference(outputs[i], expected), 1e-5);
  }
}

void check_roles(const std::filesystem::path& folder, const std::string& kind) {
  SCOPED_TRACE(kind);
  const auto file = [&](const std::string& name) { return folder / (name + "." + kind + ".pt"); };

  const auto cnn = facts_of(folder / "base_cnn.safetensors");
  const auto classifier = models::load_classifier(file("base_cnn"), cnn.at("x"));
  ASSERT_NE(classifier->network(), nullptr);
  EXPECT_EQ(classifier->network()->layers()[1].name, "conv1");
  EXPECT_EQ(classifier->classes(), 3);
  EXPECT_LT(difference(classifier->logits(cnn.at("x")), cnn.at("output0")), 1e-5);

  const auto pooled = facts_of(folder / "pooled_sequence.safetensors");
  const auto probabilities = models::load_classifier(file("pooled_sequence"), pooled.at("x"));
  EXPECT_LT(difference(at::softmax(probabilities->logits(pooled.at("x")), 1), pooled.at("output0")), 1e-6);

  const auto encoded = facts_of(folder / "cvae_encoder.safetensors");
  const auto encoder = models::load_encoder(file("cvae_encoder"), encoded.at("x"));
  const models::Posterior posterior = encoder->encode(encoded.at("x"));
  EXPECT_LT(difference(posterior.mean, encoded.at("output0")), 1e-5);
  EXPECT_LT(difference(posterior.log_variance, encoded.at("output1")), 1e-5);

  const auto decoded = facts_of(folder / "cvae_decoder.safetensors");
  const auto decoder = models::load_decoder(file("cvae_decoder"), 6);
  EXPECT_LT(difference(decoder->decode(decoded.at("x")), decoded.at("output0")), 1e-5);
  test::expect_error([&] { models::load_decoder(file("cvae_decoder"), 5); },
                     {file("cvae_decoder").string(), "takes 6 numbers", "5 latents"});
}

/// A model with operations that Network does not know.
void check_opaque(const std::filesystem::path& folder, const std::string& kind) {
  SCOPED_TRACE(kind);
  const auto facts = facts_of(folder / "shuffling.safetensors");
  const at::Tensor& x = facts.at("x");
  const std::filesystem::path file = folder / ("shuffling." + kind + ".pt");
  std::string obstacle;
  EXPECT_FALSE(nn::ScriptModule(file).translate({3, 20, 20}, &obstacle).has_value());
  EXPECT_NE(obstacle.find(".py:"), std::string::npos) << obstacle;
  EXPECT_NE(obstacle.find("pad"), std::string::npos) << obstacle;
  const auto classifier = models::load_classifier(file, x);
  EXPECT_EQ(classifier->network(), nullptr);
  EXPECT_EQ(classifier->classes(), 4);
  EXPECT_LT(difference(classifier->logits(x), facts.at("output0")), 1e-5);
  const at::Tensor& gradient = facts.at("gradient");
  EXPECT_LT(difference(gradient_of_log_probability(*classifier, x), gradient),
            1e-4 * gradient.abs().max().item<double>());
}

TEST(Python, ItsModelsPlayTheirRoles) {
  WHENCE_REQUIRE_PYTHON(python, "torch, numpy");
  const test::TemporaryFolder folder;
  const test::ProgramResult run =
      test::run_python(python, "verification/make_models.py", {folder.path().string()});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  for (const std::string kind : {"script", "trace"}) {
    for (const char* name : {"base_cnn", "cvae_encoder", "cvae_decoder", "residual", "pooled_sequence"})
      check_translation(folder.path(), name, kind);
    check_roles(folder.path(), kind);
    check_opaque(folder.path(), kind);
  }
  // A scripted nn.Upsample loops over its dimensions; tracing unrolls that.
  check_translation(folder.path(), "unflattening_decoder", "trace");
  for (const char* name : {"state_dict.pt", "pickled.pt", "legacy.pt"}) {
    test::expect_error([&] { nn::ScriptModule module(folder / name); },
                       {name, "Python objects", "torch.export.save("});
  }
}

}  // namespace
}  // namespace whence
