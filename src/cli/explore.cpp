// whence explore: the test images of runs and classifiers in the browser, and searches for any of them.
#include <iostream>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/setup.h"
#include "kinds/gce/gce.h"
#include "kinds/morphing/known.h"
#include "serve/server.h"
#include "whence/core/error.h"
#include "whence/platform/interrupt.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct ExploreArguments {
  std::vector<std::string> runs;
  ModelArguments models;  ///< of files
  std::int64_t port = 0;
};

/// Training images whose codes are known to morphs.
constexpr std::int64_t kKnownImages = 2000;

serve::Subject explored(const std::string& name, const fs::path& report,
                        const std::shared_ptr<ModelSet>& models, std::int64_t causal) {
  serve::Subject subject;
  subject.name = name;
  if (fs::exists(report)) subject.report = report;
  subject.classifier = std::move(models->classifier);
  subject.encoder = std::move(models->encoder);
  subject.decoder = std::move(models->decoder);
  subject.test = models->test;
  subject.class_names = models->class_names;
  subject.seed = models->seed;
  subject.causal = causal;
  const auto known = [images = models->train, seed = models->seed, classifier = subject.classifier,
                      encoder = subject.encoder, decoder = subject.decoder] {
    return kinds::known_codes(*classifier, *encoder, *decoder, images, kKnownImages, seed);
  };
  if (subject.decoder) subject.known = known;
  return subject;
}

std::vector<serve::Subject> subjects_of(const ExploreArguments& arguments) {
  std::vector<serve::Subject> subjects;
  for (const std::string& run : arguments.runs) {
    ModelArguments own;
    own.run = run;
    own.threads = arguments.models.threads;
    own.device = arguments.models.device;
    const auto models = std::make_shared<ModelSet>(load_classifier(own, "", /*training=*/true));
    subjects.push_back(explored(run, fs::path(run) / "report.html", models, causal_factors_of(run)));
  }
  if (!arguments.models.classifier.empty()) {
    const auto models = std::make_shared<ModelSet>(load_classifier(arguments.models, "", /*training=*/true));
    subjects.push_back(explored(arguments.models.classifier, "", models, arguments.models.causal));
  } else if (!arguments.models.data.empty()) {
    fail_usage("--data belongs to --classifier; a run has its own data");
  }
  if (subjects.empty()) fail_usage("give run folders, or --classifier and --data");
  return subjects;
}

void explore(const ExploreArguments& arguments) {
  serve::Server server(subjects_of(arguments), show_progress());
  const int port = server.bind(static_cast<int>(arguments.port));
  std::cout << fmt::format("http://127.0.0.1:{}/\n", port) << std::flush;
  std::cerr << "Open this address in a browser on this machine; Ctrl-C ends it.\n";
  server.run(interrupted);
}

}  // namespace

void add_explore(CLI::App& program, Command& chosen) {
  CLI::App* command =
      add_command(program, "explore",
                  "Serves the test images on 127.0.0.1: filter them, compare two runs, explain any of them",
                  {"explore runs/gce/fmnist-034", "explore runs/a runs/b --port 8000",
                   "explore --classifier C.pt2 --data cifar10"});
  auto arguments = std::make_shared<ExploreArguments>();
  command->add_option("runs", arguments->runs, "Run folders")->type_name("RUN...");
  add_explored_files(*command, arguments->models);
  command->add_option("--port", arguments->port, "0: any that is free")
      ->check(whole_number(0, 65535))
      ->capture_default_str();
  command->callback([&chosen, arguments] { chosen = [arguments] { explore(*arguments); }; });
}

}  // namespace whence::cli
