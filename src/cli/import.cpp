// whence import: .pt2, ONNX or TorchScript in, layers and safetensors out.
#include <iostream>

#include "cli/commands.h"
#include "cli/setup.h"
#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"

namespace whence::cli {
namespace {

struct ImportArguments {
  std::string file, input, output, out;
  bool json = false;
};

std::string shape_text(const nn::Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += fmt::format("{}{}", text.empty() ? "" : "x", size);
  return text;
}

void print_layers(const nn::Network& network) {
  for (const nn::Layer& layer : network.layers()) {
    std::cout << fmt::format("{:<28} {:<16} {}\n", layer.name, nn::name_of(layer.op),
                             shape_text(layer.shape));
  }
  std::cout << network.parameter_count() << " parameters\n";
}

nlohmann::json to_json(const nn::Network& network) {
  nlohmann::json layers = nlohmann::json::array();
  for (const nn::Layer& layer : network.layers()) {
    nlohmann::json inputs = nlohmann::json::array();
    for (const nn::LayerId input : layer.inputs) inputs.push_back(network.layers()[input].name);
    layers.push_back({{"name", layer.name},
                      {"operation", nn::name_of(layer.op)},
                      {"shape", layer.shape},
                      {"inputs", inputs}});
  }
  return {{"layers", layers}, {"parameters", network.parameter_count()}};
}

void import_file(const ImportArguments& arguments) {
  nn::Shape input = arguments.input.empty() ? nn::Shape() : parse_shape(arguments.input);
  nn::ScriptModule module(arguments.file);
  module.choose_output(arguments.output);
  std::string obstacle;
  if (input.empty()) input = module.input_shape(&obstacle).value_or(nn::Shape());
  if (input.empty())
    fail_usage("{} does not tell the shape of its input ({}); give it as --input, such as 1x28x28 or 6",
               arguments.file, obstacle);
  const std::optional<nn::Network> network = module.translate(input, &obstacle);
  if (!network) {
    fail("{} cannot be translated to layers: {}; it can still be explained as an opaque model",
         arguments.file, obstacle);
  }
  const std::filesystem::path out =
      arguments.out.empty()
          ? std::filesystem::path(arguments.file).filename().replace_extension(".safetensors")
          : std::filesystem::path(arguments.out);
  nn::save_safetensors(out, network->state(), {{"network", network->name()}});
  if (arguments.json) {
    nlohmann::json result = to_json(*network);
    result["weights"] = out.string();
    std::cout << result.dump(2) << "\n";
  } else {
    print_layers(*network);
    std::cout << out.string() << "\n";
  }
}

}  // namespace

void add_import(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "import",
      "Translates a .pt2, ONNX or TorchScript model to layers and writes its weights as safetensors",
      {"import classifier.pt2", "import classifier.pt --input 1x28x28",
       "import decoder.pt --input 6 --out decoder.safetensors"});
  auto arguments = std::make_shared<ImportArguments>();
  command->add_option("file", arguments->file, "A .pt2 (torch.export), ONNX or TorchScript file")
      ->required()
      ->type_name("FILE");
  command->add_option("--input", arguments->input, "Shape of one sample (default: what the file tells)")
      ->type_name("CxHxW");
  command->add_option("--output", arguments->output, "Which of several outputs the layers lead to")
      ->type_name("NAME");
  command->add_option("--out", arguments->out, "Where the weights go (default: NAME.safetensors)")
      ->type_name("FILE");
  command->add_flag("--json", arguments->json, "Prints the layers as JSON");
  command->callback([&chosen, arguments] { chosen = [arguments] { import_file(*arguments); }; });
}

}  // namespace whence::cli
