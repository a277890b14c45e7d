// whence attribute: which pixels of an image speak for the classifier's answer, by every method of the table.
#include <fmt/format.h>

#include <iostream>

#include "cli/asked_images.h"
#include "cli/attribute_truth.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "cli/sharding.h"
#include "kinds/attribution/comparison.h"
#include "kinds/attribution/live.h"
#include "kinds/attribution/results.h"
#include "kinds/morphing/morphing.h"
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
  Sharding sharding;
  std::string input, target, out;
  std::vector<std::int64_t> images;
  std::vector<std::string> methods;
  std::int64_t count = 9;
  std::shared_ptr<config::Values> values = std::make_shared<config::Values>();
  bool json = false, truth = false, maps_only = false;
};

/// With the seed, with references from the training images, where there are any, and with generator and translator, where there are some.
kinds::AttributionOptions options_of(const AttributeArguments& arguments, const ModelSet& models,
                                     const kinds::AttributionMethods& methods) {
  kinds::AttributionOptions options = kinds::attribution_options(*arguments.values);
  options.options.seed = models.seed;
  if (models.encoder && models.decoder) {
    const bool known = kinds::need_codes(methods, options.options);
    const auto& morphs = arguments.values->get<kinds::MorphingOptions>();
    options.options.generator = std::make_shared<const counterfactual::ImageModel>(counterfactual::ImageModel{
        *models.encoder, *models.decoder,
        known ? known_codes_of(models, morphs.known) : counterfactual::KnownCodes()});
  }
  if (models.translator)
    options.options.translator = std::make_shared<const models::Translator>(*models.translator);
  if (!models.pictures) kinds::add_training_images(options, models.train, methods);
  return options;
}

/// For Python: each method's values, the images and the classes that were asked about.
void save(const kinds::Comparison& comparison, const experiment::Results& results, const fs::path& folder) {
  nn::NamedTensors tensors = {{"images", results.row("images")}, {"target", results.row("target")}};
  for (const kinds::MeasuredMaps& each : comparison.methods)
    tensors.push_back({std::string(each.method->name), each.found.values.contiguous()});
  nn::save_safetensors(folder / "attributions.safetensors", tensors);
}

nlohmann::json images_of(const kinds::Comparison& comparison, const experiment::Results& results) {
  nlohmann::json images = nlohmann::json::array();
  const at::Tensor target = results.row("target");
  for (std::int64_t i = 0; i < target.size(0); ++i)
    images.push_back(
        {{"image", results.facts.at(static_cast<std::size_t>(i))},
         {"target", results.about.at("classes").at(static_cast<std::size_t>(target[i].item<std::int64_t>()))},
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

void print_remarks(const kinds::Comparison& comparison) {
  for (const kinds::MeasuredMaps& each : comparison.methods)
    if (kinds::is_empty(each)) std::cout << kinds::empty_sentence(each.method->title) << "\n";
  for (const auto& [name, reason] : comparison.skipped)
    std::cout << fmt::format("{} is left out: {}\n", name, reason);
}

void print(const kinds::Comparison& comparison) {
  std::cout << fmt::format("{:<32}", "method");
  for (const attribution::Measure& measure : attribution::measures())
    std::cout << fmt::format(" {:>{}}", measure.name, column_width(measure));
  std::cout << fmt::format(" {:>22}\n", "largest incompleteness");
  for (const kinds::MeasuredMaps& each : comparison.methods) print_row(each.method->name, each);
  print_row("random order", comparison.random);
  print_row("edge filter", comparison.edges);
  print_remarks(comparison);
}

/// Of maps without measures.
void print_times(const kinds::Comparison& comparison) {
  std::cout << fmt::format("{:<32} {:>16}\n", "method", "seconds an image");
  for (const kinds::MeasuredMaps& each : comparison.methods)
    std::cout << fmt::format("{:<32} {:>16.2g}\n", each.method->name,
                             each.seconds / static_cast<double>(each.found.scores.size(0)));
  print_remarks(comparison);
}

/// The report's ** for bold mean nothing in a terminal.
std::string without_marks(std::string text) {
  for (std::size_t at = text.find("**"); at != std::string::npos; at = text.find("**", at)) text.erase(at, 2);
  return text;
}

/// All methods on problems whose answer is known.
void attribute_truth(const AttributeArguments& arguments, bool counted) {
  const ModelArguments& models = arguments.models;
  if (!models.run.empty() || !models.classifier.empty() || !models.data.empty() || !models.pictures.empty() ||
      !arguments.target.empty())
    fail_usage(
        "--truth makes its own models and images; leave out the run, the files, the images and the target");
  if (arguments.maps_only) fail_usage("--truth is there for its measures; leave out --maps-only");
  refuse_sharding(arguments.sharding, "--truth");
  TruthArguments truth{.methods = kinds::attribution_methods(arguments.methods),
                       .seed = static_cast<std::uint64_t>(models.seed),
                       .threads = models.threads,
                       .options = kinds::attribution_options(*arguments.values).options,
                       .out = arguments.out,
                       .json = arguments.json};
  if (counted) truth.images = arguments.count;
  show_truth(truth);
}

void attribute(const AttributeArguments& arguments) {
  const kinds::AttributionMethods methods = kinds::attribution_methods(arguments.methods);
  const ModelSet models = load_classifier(arguments.models, arguments.input, /*training=*/true);
  const AskedImages asked(models, arguments.images, arguments.count, "attribution/images");
  const kinds::AttributionOptions options = options_of(arguments, models, methods);
  const auto compute = [&](experiment::Block block, const fs::path&) {
    const at::Tensor images = asked.images(block.first, block.count);
    at::Tensor target = attribution::answers_to(*models.classifier, images);
    if (!arguments.target.empty()) target.fill_(class_index(arguments.target, models.class_names));
    const auto explain = arguments.maps_only ? kinds::map_methods : kinds::compare_methods;
    experiment::Results results =
        kinds::results_of(explain(*models.classifier, images, target, methods, options,
                                  /*may_skip=*/arguments.methods.empty(), show_progress()),
                          options);
    results.about["measured"] = !arguments.maps_only;
    results.rows.push_back({"images", images.contiguous()});
    results.rows.push_back({"target", target});
    results.about["classes"] = models.class_names;
    for (std::int64_t i = 0; i < block.count; ++i) results.facts.push_back(asked.name(block.first + i));
    return results;
  };
  if (const auto results =
          carry_out(arguments.sharding, {asked.size(), asked.fingerprint(), arguments.out, compute}))
    finish_attribute(*results, arguments.out, arguments.json);
}

/// The recipe's keys that are flags as they are, and those of [morphing] that path methods need. Methods and images have flags of their own
/// here.
std::vector<config::Key> flag_keys() {
  std::vector<config::Key> keys = kinds::attribution_section().keys;
  std::erase_if(keys, [](const config::Key& key) { return key.name == "methods" || key.name == "images"; });
  for (config::Key& key : kinds::morph_keys("morph_")) keys.push_back(std::move(key));
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

void finish_attribute(const experiment::Results& results, const fs::path& out, bool json) {
  const kinds::Comparison comparison = kinds::comparison_of(results);
  const bool measured = results.about.value("measured", true);  // older parts do not say
  nlohmann::json result = kinds::to_json(comparison, kinds::options_of(results));
  if (!out.empty()) {
    const fs::path stem = out / "attributions";
    const kinds::ExplainedImages explained{
        results.row("images"), results.row("target"), {}, results.about.at("classes")};
    report::draw(kinds::attribution_figure(comparison, explained.images, explained.target,
                                           explained.class_names, kShown),
                 stem);
    save(comparison, results, out);
    nlohmann::json counted = result;
    counted["images"] = results.row("images").size(0);
    if (measured) {
      const std::string chosen = kinds::verdict_of(counted).method;
      report::write_page(
          kinds::attribution_page(counted, stem, kinds::maps_layer(comparison, explained, chosen, kShown)),
          out / "attributions.html");
    }
  }
  if (json) {
    if (measured) result["verdict"] = kinds::verdict_of(result).text;
    result["images"] = images_of(comparison, results);
    std::cout << result.dump(2) << "\n";
  } else if (!measured) {
    print_times(comparison);
  } else {
    print(comparison);
    std::cout << "\n" << without_marks(kinds::verdict_of(result).text) << "\n";
  }
}

void add_attribute(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "attribute", "Shows which pixels speak for the classifier's answer, and measures the maps",
      {"attribute runs/gce/fmnist-034 --images 3,17 --out figures",
       "attribute --classifier C.pt2 --picture mine.png --target 5 --out figures",
       "attribute --classifier C.pt --data cifar10 --count 500 --method integrated_gradients --json",
       "attribute --truth --out truth"});
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
  command->add_flag(
      "--truth", arguments->truth,
      "Runs the methods on problems whose answer is known, with models and images of their own; "
      "--count images of each (default: 50)");
  command->add_flag("--maps-only", arguments->maps_only,
                    "Leaves the measures out, which take most of the time, and with them verdict and page");
  add_sharding(*command, arguments->sharding, attribution::kRowsAtOnce);
  command->add_flag("--json", arguments->json, "Prints JSON");
  command->callback([&chosen, arguments, command] {
    chosen = [arguments, counted = command->count("--count") > 0] {
      if (arguments->truth)
        attribute_truth(*arguments, counted);
      else
        attribute(*arguments);
    };
  });
}

}  // namespace whence::cli
