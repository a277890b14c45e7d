// whence flow: how much each latent factor moves the classifier.
#include "whence/explain/flow/information_flow.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "cli/sharding.h"
#include "cli/texts.h"
#include "kinds/gce/flow_keys.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/explain/flow/parts.h"

namespace whence::cli {
namespace {

struct FlowArguments {
  ModelArguments models;
  Sharding sharding;
  std::string out;
  bool json = false;
};

std::vector<config::Key> flow_flags() {
  std::vector<config::Key> keys = kinds::flow_keys();
  keys.push_back({"out", config::Text{config::at(&FlowArguments::out)}, "DIR",
                  "Folder for flow.json (default: none is written)"});
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

/// Texts are decoded word by word: fewer draws of them, and one set for all factors, where nothing is said.
constexpr std::int64_t kDrawsOfTexts = 100;

void choose_for_texts(flow::FlowOptions& options, const CLI::App& command) {
  if (command.count("--samples") == 0) options.outer = options.inner = kDrawsOfTexts;
  if (command.count("--factor-draws") == 0) options.factors = flow::FactorDraws::shared;
}

void flow(config::Values& values, const CLI::App& command) {
  const auto& arguments = values.get<FlowArguments>();
  auto& options = values.get<flow::FlowOptions>();
  if (is_about_texts(arguments.models.run)) choose_for_texts(options, command);
  if (options.estimator.correction == flow::Correction::jackknife &&
      options.estimator.outer_draws != flow::Placement::independent)
    fail_usage(
        "--correction jackknife leaves out one draw at a time; give --outer-draws independent with it");
  const ModelSet models = load_models(arguments.models, false);
  const auto compute = [&](experiment::Block block, const std::filesystem::path&) {
    experiment::Results results;
    results.rows = {
        {"answers", flow::flow_answers(*models.decoder, *models.classifier, models.causal, options,
                                       models.seed, block.first, block.count, show_progress())}};
    results.about = {{"latents", models.decoder->latents()},
                     {"causal", models.causal},
                     {"seed", models.seed},
                     {"samples", {options.outer, options.inner}},
                     {"draws", static_cast<int>(options.factors)},
                     {"sampling", static_cast<int>(options.estimator.sampling)},
                     {"outer_draws", static_cast<int>(options.estimator.outer_draws)},
                     {"correction", static_cast<int>(options.estimator.correction)},
                     {"inner_draws", static_cast<int>(options.estimator.inner_draws)}};
    return results;
  };
  const std::int64_t batches =
      flow::flow_batches(*models.decoder, *models.classifier, models.causal, options);
  if (const auto results = carry_out(arguments.sharding, {batches, "", arguments.out, compute}))
    finish_flow(*results, arguments.out, arguments.json);
}

}  // namespace

void finish_flow(const experiment::Results& results, const std::filesystem::path& out, bool json) {
  const nlohmann::json& about = results.about;
  flow::FlowOptions options;
  about.at("samples").at(0).get_to(options.outer);
  about.at("samples").at(1).get_to(options.inner);
  options.factors = static_cast<flow::FactorDraws>(about.at("draws").get<int>());
  options.estimator.sampling = static_cast<flow::Sampling>(about.at("sampling").get<int>());
  options.estimator.outer_draws = static_cast<flow::Placement>(about.at("outer_draws").get<int>());
  options.estimator.correction = static_cast<flow::Correction>(about.at("correction").get<int>());
  options.estimator.inner_draws = static_cast<flow::Placement>(about.at("inner_draws").get<int>());
  const flow::FlowReport report = flow::flow_of_answers(results.row("answers"), about.at("latents"),
                                                        about.at("causal"), options, about.at("seed"));
  if (!out.empty()) write_json(out / "flow.json", flow::to_json(report));
  if (json)
    std::cout << flow::to_json(report).dump(2) << "\n";
  else
    print_table(report);
}

void add_flow(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "flow", "Measures how much each latent factor moves the classifier, in nats",
      {"flow runs/gce/fmnist-034 --samples 400x400",
       "flow --classifier C.pt --decoder D.pt --latents 6 --causal 2 --samples 200x200 --seed 0 --json"});
  auto values = std::make_shared<config::Values>();
  add_model_arguments(*command, values->get<FlowArguments>().models, false);
  add_flags(*command, flow_flags(), values);
  add_sharding(*command, values->get<FlowArguments>().sharding, /*block=*/0);
  command->callback([&chosen, values, command] { chosen = [values, command] { flow(*values, *command); }; });
}

}  // namespace whence::cli
