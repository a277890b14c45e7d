// whence ablate: the classifier's accuracy with one factor replaced by noise.
#include "whence/explain/flow/ablation.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "kinds/gce/figures.h"
#include "whence/core/random.h"

namespace whence::cli {
namespace {

struct AblateArguments {
  ModelArguments models;
  std::int64_t count = 0;
  std::string out;
  bool json = false;
};

std::vector<config::Key> ablate_keys() {
  using namespace config;
  using A = AblateArguments;
  return {{"count", Integer{at(&A::count), 0, 1'000'000'000}, "",
           "How many test images, drawn at random; 0 takes all"},
          {"out", Text{at(&A::out)}, "DIR", "Folder for the figure (default: none is drawn)"},
          {"json", Toggle{at(&A::json)}, "", "Prints JSON"}};
}

void ablate(const AblateArguments& arguments) {
  const ModelSet models = load_models(arguments.models, true);
  Generator generator = make_generator(models.seed, "evaluation/ablation");
  const at::Tensor rows = data::sample_rows(models.test, arguments.count, generator);
  const flow::Ablation ablation = flow::ablate(*models.encoder, *models.decoder, *models.classifier,
                                               data::pick(models.test, rows), generator, show_progress());
  const nlohmann::json result = kinds::to_json(ablation, models.factors);
  if (!arguments.out.empty()) {
    kinds::draw_ablation(result, models.factors, models.causal,
                         std::filesystem::path(arguments.out) / "ablation");
  }
  if (arguments.json) {
    std::cout << result.dump(2) << "\n";
    return;
  }
  const auto row = [](const std::string& name, double accuracy) {
    std::cout << fmt::format("{:<28} {:6.2f} %\n", name, 100 * accuracy);
  };
  row("original", ablation.original);
  row("re-encoded", ablation.reencoded);
  for (std::size_t i = 0; i < models.factors.size(); ++i)
    row(models.factors[i] + " replaced", ablation.replaced[i]);
}

}  // namespace

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
  command->callback([&, values] { chosen = [values, &arguments] { ablate(arguments); }; });
}

}  // namespace whence::cli
