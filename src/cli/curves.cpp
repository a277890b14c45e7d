// whence curves: the trainings of several runs in one chart.
#include "kinds/gce/curves.h"

#include <iostream>

#include "cli/commands.h"
#include "kinds/kinds.h"

namespace whence::cli {
namespace {

struct CurvesArguments {
  std::vector<std::string> runs;
  std::string out = "training-curves";
};

void curves(const CurvesArguments& arguments) {
  const std::filesystem::path stem = arguments.out;
  report::draw(kinds::compare_trainings(kinds::kinds(), {arguments.runs.begin(), arguments.runs.end()}),
               stem);
  for (const char* extension : {".png", ".svg"}) std::cout << stem.string() << extension << "\n";
}

}  // namespace

void add_curves(CLI::App& program, Command& chosen) {
  CLI::App* command =
      add_command(program, "curves",
                  "Draws the training curves of several runs in one chart, named by their differing settings",
                  {"curves runs/gce/cifar10-ten runs/gce/cifar10-ten-lambda0.05",
                   "curves runs/a runs/b --out a-against-b"});
  auto arguments = std::make_shared<CurvesArguments>();
  command->add_option("runs", arguments->runs, "Run folders; a training may still be running")
      ->required()
      ->type_name("RUN");
  command->add_option("--out", arguments->out, "The chart's path without .png and .svg")
      ->type_name("FILE")
      ->capture_default_str();
  command->callback([&chosen, arguments] { chosen = [arguments] { curves(*arguments); }; });
}

}  // namespace whence::cli
