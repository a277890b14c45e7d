// The zoo's architectures against their transcriptions in Python's PyTorch (python_zoo.py), which share nothing with
// them but the texts; layers and weights stand in the same order in both. The base CNN and the CVAE: python_layers_test.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "support/errors.h"
#include "support/files.h"
#include "support/python.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/architectures.h"

namespace whence {
namespace {

template <class Architecture>
const Architecture& named(std::span<const Architecture> all, const std::string& name) {
  for (const Architecture& architecture : all) {
    if (architecture.name == name) return architecture;
  }
  throw std::out_of_range(name);
}

nn::Network network_of(const nlohmann::json& zoo_case, std::int64_t width) {
  const auto name = zoo_case.at("architecture").get<std::string>();
  const auto image = zoo_case.at("image").get<nn::Shape>();
  const auto units = zoo_case.at("units").get<std::int64_t>();
  if (zoo_case.at("role") == "classifier") {
    return named(models::classifier_architectures(), name).make({image, units, width});
  }
  const auto& autoencoder = named(models::autoencoder_architectures(), name);
  const auto make = zoo_case.at("role") == "encoder" ? autoencoder.encoder : autoencoder.decoder;
  return make({image, units, width});
}

void compare(const nlohmann::json& zoo_case, const std::filesystem::path& folder) {
  const auto name = zoo_case.at("name").get<std::string>();
  SCOPED_TRACE(name);
  EXPECT_EQ(network_of(zoo_case, 0).parameter_count(), zoo_case.at("parameters").get<std::int64_t>());

  std::map<std::string, at::Tensor> theirs;
  for (const nn::NamedTensor& t : nn::load_safetensors(folder / (name + ".safetensors")).tensors) {
    theirs[t.name] = t.tensor;
  }
  nn::Network network = network_of(zoo_case, zoo_case.at("width").get<std::int64_t>());
  nn::NamedTensors state;
  for (const nn::NamedTensor& own : network.state()) {
    const std::string key = fmt::format("state{:03}", state.size());
    ASSERT_TRUE(theirs.contains(key)) << own.name;
    state.push_back({own.name, theirs.at(key)});
  }
  EXPECT_FALSE(theirs.contains(fmt::format("state{:03}", state.size()))) << "more weights there than here";
  network.load_state(state);
  const std::vector<at::Tensor> outputs = network.forward_all(theirs.at("x"));
  EXPECT_FALSE(theirs.contains(fmt::format("output{}", outputs.size())));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const at::Tensor& expected = theirs.at(fmt::format("output{}", i));
    ASSERT_EQ(outputs[i].sizes(), expected.sizes());
    EXPECT_LT((outputs[i] - expected).abs().max().item<double>(),
              1e-5 * std::max(1.0, expected.abs().max().item<double>()));
    EXPECT_GT(expected.std(0).max().item<double>(), 1e-6) << "an output that does not depend on its input";
  }
}

TEST(PythonZoo, EveryArchitectureIsTheTexts) {
  WHENCE_REQUIRE_PYTHON(python, "torch, numpy");
  const test::TemporaryFolder folder;
  const test::ProgramResult run =
      test::run_python(python, "verification/python_zoo.py", {folder.path().string()});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  std::multiset<std::string> compared = {"base-cnn", "cvae", "cvae", "cvae-bn", "cvae-bn"};
  for (const nlohmann::json& zoo_case : nlohmann::json::parse(run.output)) {
    compare(zoo_case, folder.path());
    compared.insert(zoo_case.at("architecture").get<std::string>());
  }
  std::multiset<std::string> all;
  for (const auto& architecture : models::classifier_architectures()) all.emplace(architecture.name);
  for (const auto& architecture : models::autoencoder_architectures()) {
    all.emplace(architecture.name);  // encoder and decoder
    all.emplace(architecture.name);
  }
  EXPECT_EQ(compared, all);
}

}  // namespace
}  // namespace whence
