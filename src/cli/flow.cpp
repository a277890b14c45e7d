// whence flow: how much each latent factor moves the classifier.
#include "whence/explain/flow/information_flow.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "kinds/gce/flow_keys.h"
#include "whence/core/error.h"

namespace whence::cli {
namespace {

struct FlowArguments {
  ModelArguments models;
  bool json = false;
};

std::vector<config::Key> flow_flags() {
  std::vector<config::Key> keys = kinds::flow_keys();
  keys.push_back({"json", config::Toggle{config::at(&FlowArguments::json)}, "", "Prints JSON"});
  return keys;
}

void print_table(const flow::FlowReport& report) {
  const auto row = [](const std::string& name, const flow::FlowValue& flow, const std::string& kind) {
    std::cout << fmt::format("{:<10} {:>9.4f} {:>9.4f}  {}\n", name, flow.nats, flow.se, kind);
  };
  std::cout << fmt::format("{:<10} {:>9} {:>9}\n", "factors", "nats", "se");
  row("alpha", report.alpha, "all causal");
  row("beta", report.beta, "all others");
  for (const flow::FactorFlow& factor : report.factors)
    row(factor.name, factor.flow, factor.causal ? "causal" : "");
}

void flow(config::Values& values) {
  const auto& arguments = values.get<FlowArguments>();
  const auto& options = values.get<flow::FlowOptions>();
  if (options.estimator.correction == flow::Correction::jackknife &&
      options.estimator.outer_draws != flow::Placement::independent)
    fail_usage(
        "--correction jackknife leaves out one draw at a time; give --outer-draws independent with it");
  const ModelSet models = load_models(arguments.models, false);
  const flow::FlowReport report = flow::measure_flow(*models.decoder, *models.classifier, models.causal,
                                                     options, models.seed, show_progress());
  if (arguments.json) {
    std::cout << flow::to_json(report).dump(2) << "\n";
  } else {
    print_table(report);
  }
}

}  // namespace

void add_flow(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "flow", "Measures how much each latent factor moves the classifier, in nats",
      {"flow runs/gce/fmnist-034 --samples 400x400",
       "flow --classifier C.pt --decoder D.pt --latents 6 --causal 2 --samples 200x200 --seed 0 --json"});
  auto values = std::make_shared<config::Values>();
  add_model_arguments(*command, values->get<FlowArguments>().models, false);
  add_flags(*command, flow_flags(), values);
  command->callback([&chosen, values] { chosen = [values] { flow(*values); }; });
}

}  // namespace whence::cli
