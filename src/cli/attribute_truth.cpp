#include "cli/attribute_truth.h"

#include <fmt/format.h>

#include <iostream>

#include "cli/setup.h"
#include "kinds/attribution/truth.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/data/known.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;
using attribution::TruthProblem;
using attribution::TruthResult;
using attribution::TruthScore;
using attribution::TruthTrial;

const TruthScore& score_of(const TruthTrial& trial) {
  return attribution::truth_score(trial.problem->scores.front());
}

std::size_t width_of(const TruthTrial& trial) { return std::max<std::size_t>(trial.problem->name.size(), 9); }

/// "0.98±0.01"; numbers near 0 that should be 0 with their size.
std::string cell_of(const TruthTrial& trial, const TruthResult& result) {
  if (!result.left_out.empty()) return "-";
  const at::Tensor scores = result.scores.front().to(at::kDouble);
  const double mean = scores.mean().item<double>();
  if (!score_of(trial).larger_is_better && mean < 0.005) return fmt::format("{:.1e}", mean);
  if (scores.numel() < 2) return fmt::format("{:.2f}", mean);
  return fmt::format("{:.2f}±{:.2f}", mean,
                     scores.std().item<double>() / std::sqrt(static_cast<double>(scores.numel())));
}

void print_row(std::string_view name, const kinds::TruthTrials& trials,
               const std::function<const TruthResult&(const TruthTrial&)>& result_of,
               const std::string& seconds) {
  std::cout << fmt::format("{:<32}", name);
  for (const TruthTrial& trial : trials)
    std::cout << fmt::format(" {:>{}}", cell_of(trial, result_of(trial)), width_of(trial));
  std::cout << fmt::format(" {:>15}\n", seconds);
}

void print_trials(const kinds::TruthTrials& trials, const nlohmann::json& found) {
  std::cout << fmt::format("{:<32}", "method");
  for (const TruthTrial& trial : trials)
    std::cout << fmt::format(" {:>{}}", trial.problem->name, width_of(trial));
  std::cout << fmt::format(" {:>15}\n", "seconds an image");
  const auto& methods = trials.front().methods;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    const double seconds = kinds::truth_seconds(found, std::string(methods[i].method->name));
    print_row(
        methods[i].method->name, trials,
        [i](const TruthTrial& trial) -> const TruthResult& { return trial.methods[i]; },
        std::isnan(seconds) ? "-" : fmt::format("{:.2g}", seconds));
  }
  print_row(
      "random order", trials, [](const TruthTrial& trial) -> const TruthResult& { return trial.random; }, "");
  print_row(
      "edge filter", trials, [](const TruthTrial& trial) -> const TruthResult& { return trial.edges; }, "");
}

void print_legend(const kinds::TruthTrials& trials) {
  for (const TruthTrial& trial : trials) {
    const TruthScore& score = score_of(trial);
    std::cout << fmt::format("{:<13} {}: {} ({}), {} images", trial.problem->name, trial.problem->title,
                             score.title, score.larger_is_better ? "1 is best" : "0 is best",
                             trial.made.images.size(0));
    if (!std::isnan(trial.made.accuracy))
      std::cout << fmt::format(", accuracy of the classifier {:.3f}", trial.made.accuracy);
    std::cout << "\n";
  }
}

void print_left_out(const kinds::TruthTrials& trials) {
  for (std::size_t i = 0; i < trials.front().methods.size(); ++i) {
    const TruthResult& first = trials.front().methods[i];
    if (!first.left_out.empty())
      std::cout << fmt::format("{} is left out: {}\n", first.method->name, first.left_out);
  }
}

std::string plain(std::string text) {
  for (std::size_t at = text.find("**"); at != std::string::npos; at = text.find("**", at)) text.erase(at, 2);
  return text;
}

/// Aeroplanes, cars, frogs and horses of CIFAR-10, where it is on this machine.
std::optional<data::Splits> pictures_for_grids() {
  const data::KnownSet& set = data::known_set("cifar10");
  if (!data::locate(set)) return std::nullopt;
  return data::load(set, {0, 1, 6, 7});
}

}  // namespace

void show_truth(const TruthArguments& arguments) {
  set_up(arguments.threads);
  if (arguments.images < 2) fail_usage("--count is {}, but --truth needs 2 images or more", arguments.images);
  attribution::Options options = arguments.options;
  options.seed = arguments.seed;
  kinds::TruthTrials trials;
  std::vector<std::string_view> absent;
  const std::optional<data::Splits> pictures = pictures_for_grids();
  for (const TruthProblem& problem : attribution::truth_problems()) {
    auto trial = attribution::try_methods(problem, arguments.methods,
                                          {.images = arguments.images,
                                           .seed = arguments.seed,
                                           .pictures = pictures ? &*pictures : nullptr,
                                           .progress = show_progress()},
                                          options);
    if (trial)
      trials.push_back(std::move(*trial));
    else
      absent.push_back(problem.name);
  }
  nlohmann::json found = kinds::to_json(trials);
  if (!absent.empty()) found["without_data"] = absent;
  if (!arguments.out.empty()) {
    const fs::path folder = arguments.out, stem = folder / "truth";
    write_json(folder / "truth.json", found);
    report::draw(kinds::truth_figure(trials), stem);
    report::write_page(kinds::truth_page(found, stem), folder / "truth.html");
  }
  if (arguments.json) {
    std::cout << found.dump(2) << "\n";
    return;
  }
  print_trials(trials, found);
  std::cout << "\n";
  print_legend(trials);
  for (const std::string_view name : absent)
    std::cout << fmt::format(
        "{} needs CIFAR-10, which is not on this machine; `whence data fetch cifar10` gets it\n", name);
  print_left_out(trials);
  std::cout << "\n" << plain(kinds::truth_summary(found)) << "\n";
}

}  // namespace whence::cli
