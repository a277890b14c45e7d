// whence sweep: figures of what one latent factor does to images and to the classifier's answer.
#include "whence/explain/flow/sweep.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/texts.h"
#include "kinds/gce/figures.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/core/random.h"
#include "whence/platform/interrupt.h"

namespace whence::cli {
namespace {

struct SweepArguments {
  ModelArguments models;
  std::vector<std::string> factors;
  double range = 3;
  std::int64_t steps = 7, rows = 6;
  std::string out;
  bool probabilities = false, json = false;
};

std::vector<config::Key> sweep_keys() {
  using namespace config;
  using A = SweepArguments;
  return {{"factor", Texts{at(&A::factors)}, "", "alpha_1, beta_2, ... (default: all; of texts the alphas)"},
          {"range", Number{at(&A::range), 0, std::numeric_limits<double>::infinity(), true},
           "standard deviations", "Values from -range to range are added"},
          {"steps", Integer{at(&A::steps), 2, 200}, "", "How many values"},
          {"rows", Integer{at(&A::rows), 1, 64}, "",
           "How many test images, spread over the classes, or test texts"},
          {"out", Text{at(&A::out)}, "DIR", "Folder of the figures (default: figures/ of the run, or .)"},
          {"probabilities", Toggle{at(&A::probabilities)}, "", "Prints the predicted class's probability"},
          {"json", Toggle{at(&A::json)}, "", "Prints all probabilities as JSON"}};
}

/// Indices of the named factors; all of them when none is named.
std::vector<std::size_t> chosen_factors(const std::vector<std::string>& wanted, const ModelSet& models) {
  std::vector<std::size_t> indices;
  const std::vector<std::string_view> names(models.factors.begin(), models.factors.end());
  for (const std::string& name : wanted) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      fail_usage("there is no factor '{}'{}; they are {} to {}", name, did_you_mean(name, names),
                 names.front(), names.back());
    }
    indices.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  if (!indices.empty()) return indices;
  for (std::size_t i = 0; i < names.size(); ++i) indices.push_back(i);
  return indices;
}

nlohmann::json to_json(const flow::Sweep& sweep, const std::string& factor, const experiment::Samples& rows) {
  nlohmann::json probabilities = nlohmann::json::array();
  for (std::int64_t row = 0; row < sweep.probabilities.size(0); ++row) {
    nlohmann::json steps = nlohmann::json::array();
    for (std::int64_t step = 0; step < sweep.probabilities.size(1); ++step) {
      const at::Tensor values = sweep.probabilities[row][step].contiguous();
      steps.push_back(
          std::vector<float>(values.data_ptr<float>(), values.data_ptr<float>() + values.numel()));
    }
    probabilities.push_back(steps);
  }
  return {{"factor", factor},
          {"values", sweep.values},
          {"labels", rows.labels},
          {"probabilities", probabilities}};
}

void sweep(const SweepArguments& arguments, const CLI::App& command) {
  if (is_about_texts(arguments.models.run)) {
    refuse_for_texts(command, arguments.models, {"--out", "--probabilities", "--picture"});
    refuse_beside_text(command, "--rows");
    return sweep_texts({.run = arguments.models.run,
                        .texts = arguments.models.texts,
                        .count = arguments.rows,
                        .threads = arguments.models.threads,
                        .json = arguments.json},
                       arguments.factors, arguments.range, arguments.steps);
  }
  const ModelSet models = load_models(arguments.models, true);
  const std::filesystem::path out = !arguments.out.empty() ? std::filesystem::path(arguments.out)
                                    : arguments.models.run.empty()
                                        ? std::filesystem::path(".")
                                        : std::filesystem::path(arguments.models.run) / "figures";
  Generator generator = make_generator(models.seed, "figures/sweeps");
  const experiment::Samples rows =
      models.pictures ? *models.pictures : experiment::spread_samples(models.test, arguments.rows, generator);
  const at::NoGradGuard no_grad;
  const at::Tensor codes = models.encoder->encode(rows.images).mean;
  nlohmann::json results = nlohmann::json::array();
  for (const std::size_t i : chosen_factors(arguments.factors, models)) {
    throw_if_interrupted();
    const std::string& factor = models.factors[i];
    const flow::Sweep result =
        flow::sweep(*models.decoder, *models.classifier, codes, static_cast<std::int64_t>(i),
                    flow::even_steps(-arguments.range, arguments.range, arguments.steps));
    const std::filesystem::path stem = out / ("sweep-" + factor);
    kinds::draw_sweep(result,
                      {.title = "One factor moves, the others are kept: " + factor,
                       .axis = "added to " + factor + " (0: the reconstruction)",
                       .class_names = models.class_names,
                       .row_labels = rows.labels,
                       .row_axis = models.pictures ? "picture" : "true class",
                       .probabilities = arguments.probabilities},
                      stem);
    results.push_back(to_json(result, factor, rows));
    if (!arguments.json) std::cout << stem.string() << ".png\n" << stem.string() << ".svg\n";
  }
  if (arguments.json) std::cout << results.dump(2) << "\n";
}

}  // namespace

void add_sweep(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "sweep",
      "Shows the effect of one factor on test images or texts and on the classifier's answer",
      {"sweep runs/gce/fmnist-034 --factor alpha_1 --steps 25 --out strips",
       "sweep runs/text/sst --text 'a moving and funny film'",
       "sweep --classifier C.pt --encoder E.pt --decoder D.pt --latents 6 --causal 2 --data fashion-mnist "
       "--classes 0,3,4 --out figures"});
  auto values = std::make_shared<config::Values>();
  auto& arguments = values->get<SweepArguments>();
  add_model_arguments(*command, arguments.models, true);
  add_picture_option(*command, arguments.models);
  add_text_option(*command, arguments.models);
  add_flags(*command, sweep_keys(), values);
  command->callback(
      [&, values, command] { chosen = [values, &arguments, command] { sweep(arguments, *command); }; });
}

}  // namespace whence::cli
