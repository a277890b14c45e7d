// whence causes: which factors of a frozen generator move a classifier.
#include "kinds/causes/causes.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "whence/core/error.h"

namespace whence::cli {
namespace {

struct CausesArguments {
  ModelArguments models;
  std::string out;
  bool json = false;
};

void print_row(const std::string& title, const flow::FlowReport& report) {
  std::cout << fmt::format("{:<24} {:>9.4f} {:>9.4f} {:>9.4f} {:>9.4f} {:>12.1f} %\n", title,
                           report.alpha.nats, report.alpha.se, report.beta.nats, report.beta.se,
                           100 * kinds::beta_share(report));
}

void causes(config::Values& values) {
  const auto& arguments = values.get<CausesArguments>();
  const auto& options = values.get<kinds::CausesOptions>();
  const ModelSet models = load_generator(arguments.models);
  if (models.classifier == nullptr) fail_usage("give --classifier: causes are what moves it");
  const kinds::CausesStudy study =
      kinds::study_causes(*models.decoder, *models.classifier, options, models.seed, show_progress());
  if (!arguments.out.empty()) {
    kinds::save_causes(study, *models.decoder, arguments.out);
    kinds::draw_causes(*models.decoder, *models.classifier, study.map, options, models.seed,
                       models.class_names, arguments.out);
  }
  if (arguments.json) {
    std::cout << kinds::to_json(study).dump(2) << "\n";
    return;
  }
  std::cout << fmt::format("{:<24} {:>9} {:>9} {:>9} {:>9} {:>14}\n", "nats", "alpha", "se", "beta", "se",
                           "share in beta");
  print_row(fmt::format("{} straight directions", options.causal), study.directions);
  if (study.bent) print_row("bent by a map", *study.bent);
}

/// The recipe's keys; here a cause is always asked for.
std::vector<config::Key> causes_keys() {
  std::vector<config::Key> keys = kinds::causes_section().keys;
  keys.front().type = config::Integer{config::at(&kinds::CausesOptions::causal), 1, 1024};
  keys.front().doc = "How many causal factors are sought.";
  return keys;
}

}  // namespace

void add_causes(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(program, "causes",
                                  "Finds the factors of a frozen generator's latents that move a classifier",
                                  {"causes --decoder G.pt --latents 128 --classifier C.pt --out causes",
                                   "causes runs/modules/fashion-mnist --causal 3 --map-steps 0 --json"});
  auto values = std::make_shared<config::Values>();
  auto& arguments = values->get<CausesArguments>();
  values->get<kinds::CausesOptions>().causal = 1;
  add_generator_arguments(*command, arguments.models);
  add_flags(*command, causes_keys(), values);
  command
      ->add_option(
          "--out", arguments.out,
          "Folder of the map, of the generator behind it (causes.pt), and of the sweeps (default: none)")
      ->type_name("DIR");
  command->add_flag("--json", arguments.json, "Prints JSON");
  command->callback([&chosen, values] { chosen = [values] { causes(*values); }; });
}

}  // namespace whence::cli
