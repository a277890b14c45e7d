// whence modules: what the parts of a generator do, and which part moves the classifier.
#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "kinds/modules/study.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct ModulesArguments {
  ModelArguments models;
  std::string out;
  bool json = false;
};

kinds::StudiedModels parts_of(const ModelSet& models) {
  kinds::StudiedModels parts{models.decoder.get(), models.encoder.get(), models.classifier.get(), {}};
  if (!models.test.labels.defined() || models.test.size() == 0) return parts;
  parts.images = kinds::images_to_encode(models.test, models.seed);
  return parts;
}

void draw_study(const kinds::StudiedModels& parts, const ModelSet& models,
                const kinds::ModulesOptions& options, const kinds::ModuleStudy& study, const fs::path& out) {
  const modularity::Cut cut(*models.decoder, options.layer);
  const kinds::StudiedOriginals originals = kinds::originals_of(parts, cut, options.source);
  Generator generator = make_generator(models.seed, "figures/modules");
  const modularity::Pairs pairs = modularity::draw_pairs(originals.measured, options.drawn, generator);
  const at::Tensor codes = originals.measured(256, generator);
  const models::Classifier* classifier = models.classifier.get();
  report::draw(kinds::maps_figure(study.modules), out / "modules-maps");
  report::draw(kinds::hybrids_figure(cut, study.modules, pairs, classifier, models.class_names),
               out / "modules-hybrids");
  report::draw(kinds::scaled_figure(cut, study.modules, codes, classifier, models.class_names),
               out / "modules-scaled");
  const nlohmann::json record = kinds::to_json(study);
  report::draw(kinds::stability_chart(record), out / "modules-stability");
  if (classifier != nullptr)
    report::draw(kinds::flow_chart(record, models.class_names.size()), out / "modules-flow");
  kinds::save_modules(study.modules, out / "modules.safetensors");
}

double mean_at(const nlohmann::json& value, const char* name) {
  return value.at(name).at("mean").get<double>();
}

void print_study(const nlohmann::json& study) {
  std::cout << fmt::format(
      "layer {}, {} channels, {} pairs of originals from {}, relative error of maps {:.3f}\n",
      study.at("layer").get<std::string>(), study.at("channels").get<int>(), study.at("pairs").get<int>(),
      study.at("originals") == "images" ? "images" : "the prior", study.at("relative_error").get<double>());
  const bool judged = study.contains("flow");
  std::cout << fmt::format("{:<8} {:>8} {:>8} {:>8} {:>12}", "module", "channels", "inside", "random",
                           "selectivity");
  if (judged) std::cout << fmt::format(" {:>8} {:>8} {:>8} {:>8}", "nats", "se", "random", "flips");
  std::cout << "\n";
  int number = 0;
  for (const nlohmann::json& module : study.at("modules")) {
    const nlohmann::json& swaps = module.at("swaps");
    std::cout << fmt::format("{:<8} {:>8} {:>8.3f} {:>8.3f} {:>12.3f}", ++number,
                             module.at("channels").size(), mean_at(swaps.at("module"), "inside"),
                             mean_at(swaps.at("random_channels"), "inside"),
                             mean_at(swaps.at("module"), "selectivity"));
    if (judged) {
      const nlohmann::json& flow = module.at("flow");
      std::cout << fmt::format(" {:>8.4f} {:>8.4f} {:>8.4f} {:>8.3f}", flow.at("nats").get<double>(),
                               flow.at("se").get<double>(), flow.at("random").at("nats").get<double>(),
                               mean_at(flow, "flips"));
    }
    std::cout << "\n";
  }
  std::cout << fmt::format("margin {:.3f}", mean_at(study, "margin"));
  if (study.contains("untrained"))
    std::cout << fmt::format(", with new weights {:.3f}", mean_at(study.at("untrained"), "margin"));
  if (study.contains("halves"))
    std::cout << fmt::format("; halves of the pairs: cosine of templates {:.3f}, adjusted Rand index {:.3f}",
                             study.at("halves").at("cosine").get<double>(),
                             study.at("halves").at("rand").get<double>());
  if (judged)
    std::cout << fmt::format("; flow of all channels {:.4f}",
                             study.at("flow").at("all").at("nats").get<double>());
  std::cout << "\n";
}

void modules(config::Values& values) {
  const auto& arguments = values.get<ModulesArguments>();
  const auto& options = values.get<kinds::ModulesOptions>();
  const ModelSet models = load_generator(arguments.models, /*real=*/true);
  const kinds::StudiedModels parts = parts_of(models);
  const kinds::ModuleStudy study = kinds::study_modules(parts, options, models.seed, show_progress());
  if (!arguments.out.empty()) draw_study(parts, models, options, study, arguments.out);
  const nlohmann::json record = kinds::to_json(study);
  if (arguments.json) {
    std::cout << record.dump(2) << "\n";
  } else {
    print_study(record);
  }
}

/// The recipe's keys; here some modules are always asked for.
std::vector<config::Key> modules_keys() {
  std::vector<config::Key> keys = kinds::modules_section().keys;
  for (config::Key& key : keys)
    if (key.name == "pairs") {
      key.type = config::Integer{config::at(&kinds::ModulesOptions::pairs), 16, 1'000'000};
      key.doc = "Pairs of originals whose hybrids give the influence maps.";
    }
  return keys;
}

}  // namespace

void add_modules(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "modules", "Finds groups of a generator's channels, and which of them moves the classifier",
      {"modules runs/modules/fashion-mnist --out figures",
       "modules --decoder D.pt --latents 100 --classifier C.pt --layer conv2 --out figures",
       "modules --decoder D.pt --latents 100 --encoder E.pt --data cifar10 --rank 3 --json"});
  auto values = std::make_shared<config::Values>();
  auto& arguments = values->get<ModulesArguments>();
  values->get<kinds::ModulesOptions>().pairs = 256;
  add_generator_arguments(*command, arguments.models);
  add_flags(*command, modules_keys(), values);
  command
      ->add_option("--out", arguments.out,
                   "Folder of the figures and the tensors (default: none are written)")
      ->type_name("DIR");
  command->add_flag("--json", arguments.json, "Prints JSON");
  command->callback([&chosen, values] { chosen = [values] { modules(*values); }; });
}

}  // namespace whence::cli
