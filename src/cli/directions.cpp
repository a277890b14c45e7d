// whence directions: which directions of a frozen generator's latent space move a classifier.
#include "whence/explain/gce/directions.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "kinds/gce/figures.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/flow/sweep.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"

namespace whence::cli {
namespace {

struct DirectionsArguments {
  ModelArguments models;
  flow::FlowOptions flow;
  std::string out;
  bool json = false;
};

std::vector<config::Key> directions_keys() {
  using namespace config;
  using gce::DirectionOptions;
  using A = DirectionsArguments;
  return {
      {"causal", Integer{at(&DirectionOptions::causal), 1, 1024}, "directions",
       "How many directions are sought"},
      {"gradients", Integer{at(&DirectionOptions::samples), 2, 1'000'000}, "samples",
       "Draws of the latents at which the classifier's gradients are taken"},
      {"steps", Integer{at(&DirectionOptions::steps), 0, 1'000'000}, "",
       "Steps of refinement, which raise the flow of the directions; 0: none"},
      {"batch", Integer{at(&DirectionOptions::batch), 1, 1'000'000}, "samples",
       "Samples that go through the models at once when gradients are taken"},
      {"samples",
       Pair{at(&A::flow, &flow::FlowOptions::outer), at(&A::flow, &flow::FlowOptions::inner), 2, 1'000'000},
       "", "Draws of the factors, and of the rest for each, that the flow is measured with"},
      {"out", Text{at(&A::out)}, "DIR",
       "Folder of the generator with its causes in front (decoder.pt), and of their sweeps (default: none)"},
      {"json", Toggle{at(&A::json)}, "", "Prints JSON"}};
}

/// The generator whose first latents are the directions, and what they do to samples.
void write(const ModelSet& models, const models::Decoder& turned, const at::Tensor& directions,
           const std::filesystem::path& out) {
  nn::save_safetensors(out / "directions.safetensors", {{"directions", directions.contiguous()}});
  if (models.decoder->network() != nullptr)
    nn::export_torchscript(gce::rotated(*models.decoder->network(), gce::rotation_of(directions)),
                           out / "decoder.pt");
  Generator generator = make_generator(models.seed, "directions/sweeps");
  const at::Tensor codes = at::randn({6, turned.latents()}, generator);
  for (std::int64_t i = 0; i < directions.size(1); ++i) {
    const std::string factor = fmt::format("alpha_{}", i + 1);
    kinds::draw_sweep(flow::sweep(turned, *models.classifier, codes, i, flow::even_steps(-3, 3, 7)),
                      {.title = "One causal direction moves, the rest is kept: " + factor,
                       .axis = "added to " + factor,
                       .class_names = models.class_names,
                       .row_labels = {"", "", "", "", "", ""},
                       .row_axis = ""},
                      out / ("sweep-" + factor));
  }
}

void directions(config::Values& values) {
  const auto& arguments = values.get<DirectionsArguments>();
  const auto& options = values.get<gce::DirectionOptions>();
  const ModelSet models = load_generator(arguments.models);
  if (models.classifier == nullptr) fail_usage("give --classifier: directions are those that move it");
  Generator generator = make_generator(models.seed, "directions");
  const at::Tensor found =
      gce::causal_directions(*models.decoder, *models.classifier, options, generator, show_progress());
  const auto turned = gce::rotated(*models.decoder, gce::rotation_of(found));
  flow::FlowOptions flow = arguments.flow;
  flow.factors = flow::FactorDraws::shared;
  const flow::FlowReport report =
      flow::measure_flow(*turned, *models.classifier, options.causal, flow, models.seed, show_progress());
  if (!arguments.out.empty()) write(models, *turned, found, arguments.out);
  if (arguments.json) {
    std::cout << flow::to_json(report).dump(2) << "\n";
    return;
  }
  const double both = report.alpha.nats + report.beta.nats;
  std::cout << fmt::format("{:<34} {:>9} {:>9}\n", "", "nats", "se");
  std::cout << fmt::format("{:<34} {:>9.4f} {:>9.4f}\n", fmt::format("alpha, {} directions", options.causal),
                           report.alpha.nats, report.alpha.se);
  std::cout << fmt::format("{:<34} {:>9.4f} {:>9.4f}\n", "beta, all that is orthogonal to them",
                           report.beta.nats, report.beta.se);
  std::cout << fmt::format("{:<34} {:>8.1f} %\n", "share of the flow in beta",
                           both > 0 ? 100 * std::max(report.beta.nats, 0.0) / both : 0.0);
}

}  // namespace

void add_directions(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "directions", "Finds the directions of a frozen generator's latents that move a classifier",
      {"directions --decoder G.pt --latents 128 --classifier C.pt --out causes",
       "directions runs/modules/fashion-mnist --causal 3 --steps 200 --json"});
  auto values = std::make_shared<config::Values>();
  auto& arguments = values->get<DirectionsArguments>();
  add_generator_arguments(*command, arguments.models);
  add_flags(*command, directions_keys(), values);
  command->callback([&chosen, values] { chosen = [values] { directions(*values); }; });
}

}  // namespace whence::cli
