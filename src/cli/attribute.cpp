// whence attribute: which pixels of an image speak for the classifier's answer, by every method of the table.
#include <fmt/format.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "kinds/attribution/comparison.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/core/random.h"
#include "whence/explain/counterfactual/image_model.h"
#include "whence/interchange/safetensors.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct AttributeArguments {
  ModelArguments models;
  std::string input, target, out;
  std::vector<std::int64_t> images;
  std::vector<std::string> methods;
  std::int64_t count = 9;
  std::shared_ptr<config::Values> values = std::make_shared<config::Values>();
  bool json = false;
};

/// What is asked: images, and for which class.
struct Question {
  at::Tensor images, target;
  std::vector<std::string> names;  ///< of the images
};

Question question_of(const AttributeArguments& arguments, const ModelSet& models) {
  Question question;
  if (models.pictures) {
    if (!arguments.images.empty()) fail_usage("give either --images or --picture, not both");
    question.images = models.pictures->images;
    question.names = models.pictures->labels;
  } else {
    const at::Tensor rows = chosen_rows(models, arguments.images, arguments.count, "attribution/images");
    question.images = data::to_float(models.test, rows);
    for (std::int64_t i = 0; i < rows.size(0); ++i)
      question.names.push_back(fmt::format("image {}", rows[i].item<std::int64_t>()));
  }
  question.target = attribution::answers_to(*models.classifier, question.images);
  if (!arguments.target.empty()) question.target.fill_(class_index(arguments.target, models.class_names));
  return question;
}

/// Images of the data whose codes the methods with a generator know.
constexpr std::int64_t kKnown = 5000;

/// With the seed, with references from the images of the data, where there are any, and with a generator where a method needs it.
kinds::AttributionOptions options_of(const AttributeArguments& arguments, const ModelSet& models,
                                     const kinds::AttributionMethods& methods) {
  kinds::AttributionOptions options = arguments.values->get<kinds::AttributionOptions>();
  options.options.seed = models.seed;
  if (models.decoder && kinds::need_generator(methods))
    options.options.generator = std::make_shared<const counterfactual::ImageModel>(
        counterfactual::ImageModel{*models.encoder, *models.decoder, known_codes_of(models, kKnown)});
  if (models.pictures) return options;
  Generator generator = make_generator(models.seed, "attribution/references");
  options.options.references =
      data::to_float(models.test, data::sample_rows(models.test, options.references, generator));
  return options;
}

/// For Python: each method's values, the images and the classes that were asked about.
void save(const kinds::Comparison& comparison, const Question& question, const fs::path& folder) {
  nn::NamedTensors tensors = {{"images", question.images.contiguous()}, {"target", question.target}};
  for (const kinds::MeasuredMaps& each : comparison.methods)
    tensors.push_back({std::string(each.method->name), each.found.values.contiguous()});
  nn::save_safetensors(folder / "attributions.safetensors", tensors);
}

nlohmann::json images_of(const kinds::Comparison& comparison, const ModelSet& models,
                         const Question& question) {
  nlohmann::json images = nlohmann::json::array();
  for (std::int64_t i = 0; i < question.images.size(0); ++i)
    images.push_back(
        {{"image", question.names[static_cast<std::size_t>(i)]},
         {"target", models.class_names[static_cast<std::size_t>(question.target[i].item<std::int64_t>())]},
         {"score", comparison.methods.front().found.scores[i].item<double>()}});
  return images;
}

std::size_t column_width(const attribution::Measure& measure) {
  constexpr std::size_t number = 9;
  return std::max(measure.name.size(), number);
}

void print_row(std::string_view name, const kinds::MeasuredMaps& maps) {
  std::cout << fmt::format("{:<32}", name);
  for (std::size_t i = 0; i < maps.measures.size(); ++i) {
    const at::Tensor& own = maps.measures[i];
    std::cout << fmt::format(" {:>{}}", own.defined() ? fmt::format("{:.4f}", own.mean().item<double>()) : "",
                             column_width(attribution::measures()[i]));
  }
  const at::Tensor& error = maps.found.completeness_error;
  std::cout << fmt::format(" {:>22}\n",
                           error.defined() ? fmt::format("{:.2g}", error.abs().max().item<double>()) : "");
}

void print(const kinds::Comparison& comparison) {
  std::cout << fmt::format("{:<32}", "method");
  for (const attribution::Measure& measure : attribution::measures())
    std::cout << fmt::format(" {:>{}}", measure.name, column_width(measure));
  std::cout << fmt::format(" {:>22}\n", "largest incompleteness");
  for (const kinds::MeasuredMaps& each : comparison.methods) print_row(each.method->name, each);
  print_row("random order", comparison.random);
  print_row("edge filter", comparison.edges);
  for (const kinds::MeasuredMaps& each : comparison.methods)
    if (kinds::is_empty(each)) std::cout << kinds::empty_sentence(each.method->title) << "\n";
  for (const auto& [name, reason] : comparison.skipped)
    std::cout << fmt::format("{} is left out: {}\n", name, reason);
}

/// The report's ** for bold mean nothing in a terminal.
std::string without_marks(std::string text) {
  for (std::size_t at = text.find("**"); at != std::string::npos; at = text.find("**", at)) text.erase(at, 2);
  return text;
}

void attribute(const AttributeArguments& arguments) {
  const kinds::AttributionMethods methods = kinds::attribution_methods(arguments.methods);
  const ModelSet models = load_classifier(arguments.models, arguments.input);
  const Question question = question_of(arguments, models);
  const kinds::AttributionOptions options = options_of(arguments, models, methods);
  const kinds::Comparison comparison =
      kinds::compare_methods(*models.classifier, question.images, question.target, methods, options,
                             /*may_skip=*/arguments.methods.empty(), show_progress());
  nlohmann::json result = kinds::to_json(comparison, options);
  if (!arguments.out.empty()) {
    const fs::path stem = fs::path(arguments.out) / "attributions";
    report::draw(
        kinds::attribution_figure(comparison, question.images, question.target, models.class_names, kShown),
        stem);
    save(comparison, question, arguments.out);
    nlohmann::json counted = result;
    counted["images"] = question.images.size(0);
    report::write_page(kinds::attribution_page(counted, stem), fs::path(arguments.out) / "attributions.html");
  }
  if (arguments.json) {
    result["verdict"] = kinds::verdict_of(result).text;
    result["images"] = images_of(comparison, models, question);
    std::cout << result.dump(2) << "\n";
  } else {
    print(comparison);
    std::cout << "\n" << without_marks(kinds::verdict_of(result).text) << "\n";
  }
}

/// The recipe's keys that are flags as they are. Methods and images have flags of their own here.
std::vector<config::Key> flag_keys() {
  std::vector<config::Key> keys = kinds::attribution_section().keys;
  std::erase_if(keys, [](const config::Key& key) { return key.name == "methods" || key.name == "images"; });
  return keys;
}

/// A name of the table, written with hyphens or underscores; its error is the table's.
CLI::Validator method_name() {
  return {[](std::string& name) -> std::string {
            try {
              name = attribution::method(name).name;
              return "";
            } catch (const Error& error) {
              return error.what();
            }
          },
          "METHOD"};
}

}  // namespace

void add_attribute(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "attribute", "Shows which pixels speak for the classifier's answer, and measures the maps",
      {"attribute runs/gce/fmnist-034 --images 3,17 --out figures",
       "attribute --classifier C.pt2 --picture mine.png --target 5 --out figures",
       "attribute --classifier C.pt --data cifar10 --count 500 --method integrated_gradients --json"});
  auto arguments = std::make_shared<AttributeArguments>();
  add_classifier_arguments(*command, arguments->models);
  add_generator_files(*command, arguments->models);
  command
      ->add_option("--input", arguments->input,
                   "Size that pictures are scaled to (default: what the classifier's file tells)")
      ->type_name("CxHxW");
  add_image_choice(*command, arguments->images, arguments->count);
  std::vector<std::string_view> names;
  for (const attribution::Method& method : attribution::methods()) names.push_back(method.name);
  command
      ->add_option(
          "--method", arguments->methods,
          fmt::format("May be repeated (default: all that the model allows): {}", fmt::join(names, ", ")))
      ->transform(method_name())
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command
      ->add_option("--target", arguments->target,
                   "The explained class, by name (default: the classifier's answer)")
      ->type_name("CLASS");
  add_flags(*command, flag_keys(), arguments->values);
  command
      ->add_option("--out", arguments->out,
                   "Folder of the page, the figure and the tensors (default: none are written)")
      ->type_name("DIR");
  command->add_flag("--json", arguments->json, "Prints JSON");
  command->callback([&chosen, arguments] { chosen = [arguments] { attribute(*arguments); }; });
}

}  // namespace whence::cli
