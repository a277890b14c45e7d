// Layers and architectures against Python's PyTorch (python_layers.py writes the cases). Skipped where no Python has it.
#include <torch/csrc/autograd/autograd.h>

#include <map>

#include "support/python.h"
#include "unit/nn/network_support.h"
#include "whence/models/zoo/zoo.h"

namespace whence {
namespace {

using nlohmann::json;
using test_support::largest_difference;

/// The script's output, made once; null when no Python has PyTorch.
const json& python() {
  static const json cases = []() -> json {
    const std::optional<std::string> interpreter = test::find_python("torch");
    if (!interpreter) return nullptr;
    const test::ProgramResult run = test::run_python(*interpreter, "verification/python_layers.py", {});
    TORCH_CHECK(run.exit_code == 0, run.output);
    return json::parse(run.output);
  }();
  return cases;
}

Tensor tensor_of(const json& plain, at::ScalarType type = at::kDouble) {
  const auto values = plain.at("values").get<std::vector<double>>();
  return at::tensor(values, at::kDouble).reshape(plain.at("shape").get<nn::Shape>()).to(type);
}

nn::Op op_of(const json& op) {
  const auto number = [&](const char* key, std::int64_t otherwise = 0) { return op.value(key, otherwise); };
  const bool bias = op.value("bias", true);
  const std::int64_t channels = number("channels"), kernel = number("kernel"), stride = number("stride", 1),
                     padding = number("padding");
  const double probability = op.value("probability", 0.0);
  const nn::Op ops[] = {
      nn::Conv2d{channels, kernel, stride, padding, bias},
      nn::ConvTranspose2d{channels, kernel, stride, padding, number("output_padding"), bias},
      nn::Linear{number("features"), bias},
      nn::BatchNorm2d{op.value("epsilon", 0.0), op.value("momentum", 0.0)},
      nn::BatchNorm1d{op.value("epsilon", 0.0), op.value("momentum", 0.0)},
      nn::Relu{},
      nn::LeakyRelu{op.value("slope", 0.0)},
      nn::Sigmoid{},
      nn::Tanh{},
      nn::Softmax{},
      nn::LogSoftmax{},
      nn::MaxPool2d{kernel, stride, padding},
      nn::AvgPool2d{kernel, stride, padding},
      nn::GlobalAvgPool2d{},
      nn::Dropout{probability},
      nn::Dropout2d{probability},
      nn::Flatten{},
      nn::UpsampleNearest2d{number("factor")},
      nn::Reshape{op.value("shape", nn::Shape{})},
      nn::ZeroPad2d{number("left"), number("right"), number("top"), number("bottom")}};
  for (const nn::Op& known : ops) {
    if (nn::name_of(known) == op.at("type").get<std::string>()) return known;
  }
  throw std::out_of_range(op.dump());
}

nn::NamedTensors state_of(const json& state, const std::string& prefix, at::ScalarType type) {
  nn::NamedTensors tensors;
  for (const auto& [name, plain] : state.items()) tensors.push_back({prefix + name, tensor_of(plain, type)});
  return tensors;
}

void compare_layer(const json& layer_case) {
  SCOPED_TRACE(layer_case.at("op").dump());
  const Tensor x = tensor_of(layer_case.at("x")).set_requires_grad(true);
  nn::Network network("n", x.sizes().slice(1).vec());
  network.add("layer", op_of(layer_case.at("op")));
  test_support::to_float64(network);
  network.load_state(state_of(layer_case.at("state"), "layer.", at::kDouble));
  network.require_gradients(true);

  const Tensor y = network.forward(x, {.training = layer_case.at("training").get<bool>()});
  EXPECT_LT(largest_difference(y, tensor_of(layer_case.at("y"))), 1e-12);
  std::vector<Tensor> variables = {x};
  std::vector<std::string> names = {"x"};
  const nn::Layer& layer = network.layers()[1];
  for (const nn::NamedTensor& parameter : layer.parameters) {
    variables.push_back(parameter.tensor);
    names.push_back(parameter.name);
  }
  const auto gradients = torch::autograd::grad({y}, variables, {tensor_of(layer_case.at("cotangent"))});
  EXPECT_EQ(gradients.size(), layer_case.at("gradients").size());
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Tensor expected = tensor_of(layer_case.at("gradients").at(names[i]));
    EXPECT_LT(largest_difference(gradients[i], expected), 1e-11) << "gradient of " << names[i];
  }
  for (const nn::NamedTensor& buffer : layer.buffers) {
    EXPECT_LT(largest_difference(buffer.tensor, tensor_of(layer_case.at("buffers").at(buffer.name))), 1e-12);
  }
}

TEST(PythonLayers, EveryLayerComputesTheSameForwardAndBackward) {
  if (python().is_null()) GTEST_SKIP() << "no Python interpreter here imports torch";
  for (const json& layer_case : python().at("layers")) compare_layer(layer_case);
  EXPECT_GE(python().at("layers").size(), 20U);
}

nn::Network zoo_network(const std::string& name, bool full) {
  const models::CvaeOptions cvae{
      .latents = 6, .width = full ? 64 : 4, .batch_norm = name.find("-bn-") != std::string::npos};
  if (name == "base-cnn") return models::base_cnn({.classes = 3, .width = full ? 32 : 4});
  return name.ends_with("encoder") ? models::cvae_encoder(cvae) : models::cvae_decoder(cvae);
}

TEST(PythonLayers, EveryArchitectureComputesTheSame) {
  if (python().is_null()) GTEST_SKIP() << "no Python interpreter here imports torch";
  for (const json& model : python().at("models")) {
    const auto name = model.at("name").get<std::string>();
    SCOPED_TRACE(name);
    EXPECT_EQ(zoo_network(name, true).parameter_count(), model.at("parameters").get<std::int64_t>());

    nn::Network network = zoo_network(name, false);
    EXPECT_EQ(network.name(), name);
    network.load_state(state_of(model.at("state"), "", at::kFloat));
    const std::vector<Tensor> outputs = network.forward_all(tensor_of(model.at("x"), at::kFloat));
    ASSERT_EQ(outputs.size(), model.at("outputs").size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_LT(largest_difference(outputs[i], tensor_of(model.at("outputs")[i])), 1e-5) << "output " << i;
    }
  }
  EXPECT_EQ(python().at("models").size(), 5U);
}

}  // namespace
}  // namespace whence
