// whence visualize: what classes, neurons, channels, layers or directions of a classifier respond to most.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/model_parts.h"
#include "cli/options.h"
#include "cli/setup.h"
#include "experiment/session.h"
#include "kinds/kinds.h"
#include "kinds/visualization/gallery.h"
#include "kinds/visualization/judge.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/interchange/safetensors.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct VisualizeArguments {
  ModelArguments models;
  std::vector<std::string> targets;
  std::vector<std::int64_t> units;
  std::string directions, out;
  std::shared_ptr<config::Values> values = std::make_shared<config::Values>();
  bool json = false;
};

/// What pictures are made with. The set owns what the gallery's models point to.
struct Subject {
  ModelSet models;
  std::unique_ptr<models::Classifier> judge;
  at::Tensor images, labels;

  kinds::GalleryModels gallery() const {
    return {*models.classifier, models.decoder.get(), judge.get(), images, labels, models.class_names};
  }
};

bool wants_prior(const kinds::VisualizationOptions& options) {
  return std::find(options.parametrizations.begin(), options.parametrizations.end(), "prior") !=
         options.parametrizations.end();
}

/// The run's own generator and judge, where it has them.
void add_from_run(Subject& subject, const VisualizeArguments& arguments, bool prior) {
  experiment::Session session = open_run(arguments.models);
  if (prior) {
    if (session.latents() == 0)
      fail_usage("{} has no generator, which the parametrization 'prior' needs", arguments.models.run);
    subject.models.decoder = session.decoder(Precision::float32);
  }
  if (fs::exists(session.folder() / "judge.safetensors")) subject.judge = kinds::judge_of(session);
}

void add_from_files(Subject& subject, const VisualizeArguments& arguments, bool prior) {
  if (!prior) return;
  if (arguments.models.decoder.empty() || arguments.models.latents == 0)
    fail_usage("the parametrization 'prior' needs a generator; give --decoder and --latents");
  subject.models.decoder = models::load_decoder(arguments.models.decoder, arguments.models.latents);
}

Subject subject_of(const VisualizeArguments& arguments, const kinds::VisualizationOptions& options) {
  if (!arguments.models.run.empty() && !arguments.models.decoder.empty())
    fail_usage("--decoder is for model files; a run folder has its own");
  Subject subject;
  ModelArguments of_classifier = arguments.models;
  of_classifier.decoder.clear();  // without an encoder: it only draws
  subject.models = load_classifier(of_classifier, "");
  if (arguments.models.run.empty())
    add_from_files(subject, arguments, wants_prior(options));
  else
    add_from_run(subject, arguments, wants_prior(options));
  const data::Dataset& test = subject.models.test;
  Generator generator = make_generator(subject.models.seed, "visualization/references");
  const at::Tensor rows = data::sample_rows(test, options.references, generator);
  subject.images = data::to_float(test, rows);
  subject.labels = test.labels.index_select(0, rows);
  if (options.judge_file.empty()) return subject;
  subject.judge = models::load_classifier(
      options.judge_file, subject.images.narrow(0, 0, 1).expand({4, -1, -1, -1}).contiguous());
  if (subject.judge->classes() != subject.models.classifier->classes())
    fail_usage("{} has {} classes, but the classifier has {}; a judge tells the same classes apart",
               options.judge_file, subject.judge->classes(), subject.models.classifier->classes());
  return subject;
}

/// Rows of the only tensor of a file: (directions, channels), or one direction.
at::Tensor directions_from(const std::string& file) {
  if (file.empty()) return {};
  const nn::NamedTensors tensors = nn::load_safetensors(file).tensors;
  if (tensors.size() != 1 || tensors.front().tensor.dim() > 2 || !tensors.front().tensor.is_floating_point())
    fail_usage("{} must hold one tensor of directions, (directions, channels) of floating-point numbers",
               file);
  return at::atleast_2d(tensors.front().tensor.to(at::kFloat));
}

std::vector<std::int64_t> units_of(const VisualizeArguments& arguments, const ModelSet& models) {
  if (!arguments.targets.empty() && !arguments.units.empty())
    fail_usage("give either --target, for classes, or --unit, for channels, not both");
  std::vector<std::int64_t> units = arguments.units;
  for (const std::string& name : arguments.targets) units.push_back(class_index(name, models.class_names));
  return units;
}

std::string percent(const nlohmann::json& column, const char* name) {
  return column.contains(name) ? fmt::format("{:.0f} %", 100 * column.at(name).get<double>()) : "";
}

void print(const nlohmann::json& pages, bool judged) {
  for (const auto& [id, page] : pages.items()) {
    std::cout << fmt::format("{:<32} {:>12} {:>12} {:>12}\n", id, "beyond 99 %",
                             judged ? "transfer" : "own answer", "distance");
    for (const nlohmann::json& name : page.at("order")) {
      const nlohmann::json& column = page.at("columns").at(name.get<std::string>());
      std::cout << fmt::format("{:<32} {:>12} {:>12} {:>12.2f}\n", column.at("title").get<std::string>(),
                               percent(column, "beyond"), percent(column, "transfer"),
                               column.at("distance").is_null() ? 0.0 : column.at("distance").get<double>());
    }
  }
}

void visualize(const VisualizeArguments& arguments) {
  kinds::VisualizationOptions options = arguments.values->get<kinds::VisualizationOptions>();
  if (options.objectives.empty()) options.objectives = {"logit"};
  const Subject subject = subject_of(arguments, options);
  options.options.seed = subject.models.seed;
  const kinds::GalleryModels models = subject.gallery();
  std::vector<kinds::GalleryPage> pages;
  nlohmann::json metrics = nlohmann::json::object();
  for (const visualization::Objective& objective : kinds::asked_objectives(
           options, models, units_of(arguments, subject.models), directions_from(arguments.directions))) {
    pages.push_back(kinds::make_page(objective, options, models, show_progress()));
    metrics[pages.back().id()] = kinds::to_json(pages.back());
  }
  if (!arguments.out.empty()) {
    const fs::path folder = arguments.out;
    for (const kinds::GalleryPage& page : pages)
      report::draw(kinds::gallery_figure(page, models.class_names, models.judge != nullptr),
                   folder / ("visualization-" + page.id()));
    nn::save_safetensors(folder / "visualizations.safetensors", kinds::tensors_of(pages));
  }
  if (arguments.json) {
    std::cout << nlohmann::json{{"references", subject.images.size(0)}, {"pages", metrics}}.dump(2) << "\n";
  } else {
    print(metrics, models.judge != nullptr);
  }
}

/// A judge is not trained here.
std::vector<config::Key> visualize_flags() {
  std::vector<config::Key> keys = kinds::visualization_section().keys;
  std::erase_if(keys, [](const config::Key& key) { return key.name == "judge"; });
  return keys;
}

}  // namespace

void add_visualize(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "visualize", "Makes pictures of what classes and units of a classifier respond to most",
      {"visualize runs/gce/fmnist-034 --parametrizations fourier,maco,prior --out figures",
       "visualize --classifier C.pt2 --data cifar10 --objectives channel --layers conv2 --unit 3,5 --out "
       "figures",
       "visualize --classifier C.pt --decoder D.pt --latents 16 --parametrizations prior --data mnist "
       "--target 8 --json"});
  auto arguments = std::make_shared<VisualizeArguments>();
  add_classifier_arguments(*command, arguments->models, /*pictures=*/false);
  command
      ->add_option("--decoder", arguments->models.decoder,
                   "A .pt2, ONNX or TorchScript file: latents to images")
      ->type_name("FILE");
  command->add_option("--latents", arguments->models.latents, "How many latents the decoder takes")
      ->type_name("N")
      ->check(whole_number(1));
  command->add_option("--target", arguments->targets, "Classes to show, by name (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("CLASSES");
  command->add_option("--unit", arguments->units, "Channels to show, by number (default: --units of them)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(whole_number(0))
      ->type_name("NUMBERS");
  command
      ->add_option(
          "--directions", arguments->directions,
          "A safetensors file with directions of a layer (default: those that tell the classes apart)")
      ->type_name("FILE");
  add_flags(*command, visualize_flags(), arguments->values);
  command
      ->add_option("--out", arguments->out,
                   "Folder of the figures and the tensors (default: none are written)")
      ->type_name("DIR");
  command->add_flag("--json", arguments->json, "Prints JSON");
  command->callback([&chosen, arguments] { chosen = [arguments] { visualize(*arguments); }; });
}

}  // namespace whence::cli
