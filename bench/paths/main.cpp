// Paths of semantic morphing: entropy against gradients, and masks against each other, on the test images of a run.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/fast_start.h"
#include "experiment/session.h"
#include "kinds/kinds.h"
#include "paths/masks.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/counterfactual/path_entropy.h"
#include "whence/platform/interrupt.h"
#include "whence/platform/machine.h"

namespace whence::bench {
namespace {

struct Arguments {
  std::string run;
  std::int64_t paths = 1000, images = 100, known = 10'000, steps = 100, settling = 0, threads = 0;
  double area = 0.05;
  Rival rival;
};

void print_entropy(const counterfactual::ImageModel& model, const models::Classifier& classifier,
                   const Arguments& a) {
  fmt::print(
      "Pearson r of entropy and gradient\n| path | paths | all pixels | all steps | within a path (median) "
      "|\n|---|---|---|---|---|\n");
  for (const auto& [kind, name] : {std::pair(counterfactual::PathKind::radial, "radial"),
                                   std::pair(counterfactual::PathKind::linear, "linear")}) {
    const counterfactual::PathEntropies r =
        counterfactual::path_entropies(model, classifier, {a.paths, a.steps, kind}, 0);
    fmt::print("| {} | {} | {:.3f} | {:.3f} | {:.3f} |\n", name, r.to.size(0), r.of_values, r.of_steps,
               r.of_a_path);
  }
  std::fflush(stdout);
}

void print_masks(const MaskStudy& s, double area) {
  fmt::print("\n{} images; area {:g}\n", s.images, area);
  fmt::print(
      "gain of masks from: path {:.4f}, straight line {:.4f}, black {:.4f}, difference {:.4f}, noise "
      "{:.4f}\n",
      s.path_gain, s.straight_gain, s.black_gain, s.difference_gain, s.random_gain);
  fmt::print("path / difference {:.3f}, path / noise {:.1f}\n", s.path_gain / s.difference_gain,
             s.path_gain / s.random_gain);
  fmt::print("linearity error: median {:.4f}, 95 % below {:.4f}\n", s.linearity_error, s.worst_linearity);
  if (s.optimised_seconds == 0) return;
  fmt::print(
      "optimised: area {:.4f}, gain {:.4f}, {:.3f} s an image; closed form at that area: gain {:.4f} ({:.4f} "
      "of it), {:.5f} s\n",
      s.optimised_area, s.optimised_gain, s.optimised_seconds, s.closed_gain, s.ratio, s.closed_seconds);
  std::fflush(stdout);
}

void measure(const Arguments& a) {
  use_threads(static_cast<int>(a.threads));
  keep_freed_memory();
  experiment::Session session = experiment::open_session(kinds::kinds(), a.run);
  const experiment::Models models = session.judged();
  const data::Splits& data = session.data();
  Generator rows = make_generator(session.seed(), "bench/known"),
            drawn = make_generator(session.seed(), "bench/images");
  const data::Dataset known = data::pick(data.train, data::sample_rows(data.train, a.known, rows));
  const counterfactual::ImageModel model{
      *models.encoder, *models.decoder,
      counterfactual::known_codes(*models.encoder, *models.decoder, *models.classifier, data::to_float(known),
                                  known.labels)};
  if (a.paths > 0) print_entropy(model, *models.classifier, a);
  if (a.images == 0) return;
  const at::Tensor images =
      data::to_float(data.test, data::sample_rows(data.test, a.images, drawn)).contiguous();
  attribution::Options options;
  options.generator = std::make_shared<const counterfactual::ImageModel>(model);
  options.of<attribution::ImagePath>().steps = a.steps;
  print_masks(study_masks(*models.classifier, images, options, a.area, a.rival), a.area);
  if (a.settling == 0) return;
  const std::vector<std::int64_t> counts = {0, 300, 1000, 2000, 3000};
  const std::vector<double> areas = areas_while_optimised(
      *models.classifier, images.narrow(0, 0, std::min(a.settling, images.size(0))), options, counts);
  for (std::size_t i = 0; i < counts.size(); ++i)
    fmt::print("area after {} iterations: {:.4f}\n", counts[i], areas[i]);
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  using namespace whence;
  CLI::App program{"Paths of semantic morphing: entropy against gradients, masks against each other."};
  bench::Arguments a;
  program.add_option("run", a.run, "A run folder with an autoencoder")->required();
  program.add_option("--paths", a.paths, "Of the entropy study; 0: none")->capture_default_str();
  program.add_option("--images", a.images, "Test images of the masks; 0: none")->capture_default_str();
  program.add_option("--known", a.known, "Training images whose codes are known")->capture_default_str();
  program.add_option("--steps", a.steps, "Images of a path")->capture_default_str();
  program.add_option("--iterations", a.rival.iterations, "Of the optimised mask; 0: none")
      ->capture_default_str();
  program.add_option("--rate", a.rival.learning_rate, "Learning rate of the optimised mask")
      ->capture_default_str();
  program.add_option("--every", a.rival.every, "4: the optimised mask sees every fourth image of a path")
      ->capture_default_str();
  program.add_option("--settling", a.settling, "Images whose mask's area is followed while it is optimised")
      ->capture_default_str();
  program.add_option("--area", a.area, "Area of the compared masks")->capture_default_str();
  program.add_option("--threads", a.threads, "0: every core")->capture_default_str();
  CLI11_PARSE(program, argc, argv);
  cli::start_with_fast_libraries();
  install_interrupt_handler();
  try {
    bench::measure(a);
  } catch (const std::exception& error) {
    std::cerr << "bench_paths: " << sentence_of(error) << "\n";
    return 1;
  }
  return 0;
}
