// whence ablate: the classifier's accuracy with one factor replaced by noise.
#include "whence/explain/flow/ablation.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "cli/sharding.h"
#include "cli/texts.h"
#include "experiment/folder.h"
#include "kinds/gce/figures.h"
#include "whence/core/random.h"
#include "whence/explain/flow/parts.h"

namespace whence::cli {
namespace {

constexpr std::int64_t kAblatedAtOnce = 500;

struct AblateArguments {
  ModelArguments models;
  Sharding sharding;
  std::int64_t count = 0;
  std::string out;
  bool json = false;
};

std::vector<config::Key> ablate_keys() {
  using namespace config;
  using A = AblateArguments;
  return {{"count", Integer{at(&A::count), 0, 1'000'000'000}, "",
           "How many test images or texts, drawn at random; 0 takes all"},
          {"out", Text{at(&A::out)}, "DIR", "Folder for the figure (default: none is drawn)"},
          {"json", Toggle{at(&A::json)}, "", "Prints JSON"}};
}

void ablate(const AblateArguments& arguments, const CLI::App& command) {
  if (is_about_texts(arguments.models.run)) {
    refuse_sharding(arguments.sharding, "a run about texts");
    refuse_for_texts(command, arguments.models, {"--block"});
    return ablate_run_of_texts({.run = arguments.models.run,
                                .texts = {},
                                .count = arguments.count,
                                .threads = arguments.models.threads,
                                .json = arguments.json},
                               arguments.out);
  }
  const ModelSet models = load_models(arguments.models, true);
  Generator generator = make_generator(models.seed, "evaluation/ablation");
  const at::Tensor rows = data::sample_rows(models.test, arguments.count, generator);
  const at::Tensor fresh = at::randn({rows.size(0), models.decoder->latents()}, generator, at::kFloat);
  const auto compute = [&](experiment::Block block, const std::filesystem::path&) {
    const auto own = [&](const at::Tensor& all) { return all.narrow(0, block.first, block.count); };
    experiment::Results results;
    results.rows = {
        {"right", flow::right_answers(*models.encoder, *models.decoder, *models.classifier,
                                      data::pick(models.test, own(rows)), own(fresh), show_progress())}};
    results.about = {{"factors", models.factors}, {"causal", models.causal}};
    return results;
  };
  const std::string content = experiment::fingerprint_of(nlohmann::json(models.test.class_names).dump());
  if (const auto results = carry_out(arguments.sharding, {rows.size(0), content, arguments.out, compute}))
    finish_ablate(*results, arguments.out, arguments.json);
}

}  // namespace

void finish_ablate(const experiment::Results& results, const std::filesystem::path& out, bool json) {
  const auto factors = results.about.at("factors").get<std::vector<std::string>>();
  const flow::Ablation ablation = flow::ablation_of(results.row("right"));
  const nlohmann::json result = to_json(ablation, factors);
  if (!out.empty()) kinds::draw_ablation(result, factors, results.about.at("causal"), out / "ablation");
  if (json) {
    std::cout << result.dump(2) << "\n";
    return;
  }
  const auto row = [](const std::string& name, double accuracy) {
    std::cout << fmt::format("{:<28} {:6.2f} %\n", name, 100 * accuracy);
  };
  row("original", ablation.original);
  row("re-encoded", ablation.reencoded);
  for (std::size_t i = 0; i < factors.size(); ++i) row(factors[i] + " replaced", ablation.replaced[i]);
}

void add_ablate(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "ablate",
      "Measures the classifier's accuracy on test images with one factor replaced by noise",
      {"ablate runs/gce/fmnist-034 --json",
       "ablate --classifier C.pt --encoder E.pt --decoder D.pt --latents 6 --causal 2 --data fashion-mnist "
       "--classes 0,3,4 --out figures"});
  auto values = std::make_shared<config::Values>();
  auto& arguments = values->get<AblateArguments>();
  add_model_arguments(*command, arguments.models, true);
  add_flags(*command, ablate_keys(), values);
  add_sharding(*command, arguments.sharding, kAblatedAtOnce);
  command->callback(
      [&, values, command] { chosen = [values, &arguments, command] { ablate(arguments, *command); }; });
}

}  // namespace whence::cli
