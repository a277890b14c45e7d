// whence flow: how much each latent factor moves the classifier.
#include "whence/explain/flow/information_flow.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "whence/core/error.h"

namespace whence::cli {
namespace {

struct FlowArguments {
  ModelArguments models;
  std::string samples = "200x200", sampling = "nested", outer_draws = "stratified", correction = "delta",
              factor_draws = "own";
  bool json = false;
};

flow::FlowOptions options_of(const FlowArguments& arguments) {
  flow::FlowOptions options;
  const Counts samples = parse_samples(arguments.samples);
  options.outer = samples.outer;
  options.inner = samples.inner;
  using flow::Correction, flow::Placement, flow::Sampling;
  for (const Sampling sampling : {Sampling::nested, Sampling::crossed})
    if (arguments.sampling == name_of(sampling)) options.estimator.sampling = sampling;
  for (const Placement draws :
       {Placement::independent, Placement::antithetic, Placement::sobol, Placement::stratified})
    if (arguments.outer_draws == name_of(draws)) options.estimator.outer_draws = draws;
  for (const Correction correction : {Correction::none, Correction::delta, Correction::jackknife})
    if (arguments.correction == name_of(correction)) options.estimator.correction = correction;
  if (arguments.factor_draws == name_of(flow::FactorDraws::shared))
    options.factors = flow::FactorDraws::shared;
  if (options.estimator.correction == Correction::jackknife &&
      options.estimator.outer_draws != Placement::independent)
    fail_usage(
        "--correction jackknife leaves out one draw at a time; give --outer-draws independent with it");
  return options;
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

void flow(const FlowArguments& arguments) {
  const flow::FlowOptions options = options_of(arguments);
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
  auto arguments = std::make_shared<FlowArguments>();
  add_model_arguments(*command, arguments->models, false);
  command->add_option("--samples", arguments->samples, "Draws of the factors x draws of the rest for each")
      ->type_name("NxN")
      ->capture_default_str();
  command->add_option("--sampling", arguments->sampling, "Own draws of the rest for each, or shared ones")
      ->check(CLI::IsMember({"nested", "crossed"}))
      ->capture_default_str();
  command->add_option("--outer-draws", arguments->outer_draws, "How the draws of the factors are spread")
      ->check(CLI::IsMember({"independent", "antithetic", "sobol", "stratified"}))
      ->capture_default_str();
  command->add_option("--correction", arguments->correction, "Bias correction")
      ->check(CLI::IsMember({"none", "delta", "jackknife"}))
      ->capture_default_str();
  command
      ->add_option("--factor-draws", arguments->factor_draws,
                   "Draws of each single factor, or one set that all share, as costly as one factor")
      ->check(CLI::IsMember({"own", "shared"}))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Prints JSON");
  command->callback([&chosen, arguments] { chosen = [arguments] { flow(*arguments); }; });
}

}  // namespace whence::cli
