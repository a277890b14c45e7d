// whence export: a run's models as TorchScript, for Python.
#include <iostream>

#include "cli/commands.h"
#include "cli/model_parts.h"
#include "experiment/session.h"
#include "kinds/generator/generator.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"

namespace whence::cli {
namespace {

struct ExportArguments {
  std::string run, out;
};

void export_run(const ExportArguments& arguments) {
  experiment::Session session = experiment::open_session(kinds::kinds(), arguments.run);
  refuse_texts(session, arguments.run);
  const std::filesystem::path out =
      arguments.out.empty() ? session.folder() / "torchscript" : std::filesystem::path(arguments.out);
  const auto export_network = [&](nn::Network network, const std::string& name) {
    const std::filesystem::path weights = session.folder() / (name + ".safetensors");
    if (!std::filesystem::exists(weights)) {
      fail("{} has no {}.safetensors yet; `whence train {}` makes it", arguments.run, name, arguments.run);
    }
    nn::load_network(weights, network);
    const std::filesystem::path file = out / (name + ".pt");
    nn::export_torchscript(network, file);
    std::cout << file.string() << "\n";
  };
  if (session.get<experiment::ClassifierOptions>().file.empty())
    export_network(session.classifier_network(), "classifier");
  if (kinds::has_encoder(session.recipe().values)) export_network(session.encoder_network(), "encoder");
  if (session.get<experiment::GeneratorOptions>().file.empty())
    export_network(session.decoder_network(), "decoder");
}

}  // namespace

void add_export(CLI::App& program, Command& chosen) {
  CLI::App* command =
      add_command(program, "export",
                  "Writes the classifier, encoder and decoder of a run as TorchScript, which Python opens",
                  {"export runs/gce/fmnist-034", "export runs/gce/fmnist-034 --out models"});
  auto arguments = std::make_shared<ExportArguments>();
  command->add_option("run", arguments->run, "A run folder")->required()->type_name("RUN");
  command->add_option("--out", arguments->out, "Folder of the files (default: torchscript/ of the run)")
      ->type_name("DIR");
  command->callback([&chosen, arguments] { chosen = [arguments] { export_run(*arguments); }; });
}

}  // namespace whence::cli
