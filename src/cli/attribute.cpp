// whence attribute: which values of an image speak for the classifier's answer, by several methods.
#include <fmt/format.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "report/figures.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/gradients.h"
#include "whence/explain/attribution/perturbation.h"
#include "whence/interchange/safetensors.h"
#include "whence/platform/interrupt.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct AttributeArguments {
  ModelArguments models;
  std::string input, target, score = "logit", out;
  std::vector<std::int64_t> images;
  std::vector<std::string> methods;
  std::int64_t count = 9;
  attribution::SmoothGrad smooth;
  attribution::IntegratedGradients integrated;
  attribution::PerturbationOptions perturbation;
  bool json = false;
};

/// What is asked: images, for which class, of which score.
struct Question {
  at::Tensor images, target;
  attribution::Score score;
  std::vector<std::string> names;  ///< of the images
};

const std::vector<std::string>& method_names() {
  static const std::vector<std::string> names = {"gradient", "input-times-gradient", "smooth-grad",
                                                 "integrated-gradients"};
  return names;
}

Question question_of(const AttributeArguments& arguments, const ModelSet& models) {
  Question question;
  question.score = arguments.score == "logit" ? attribution::Score::logit : attribution::Score::probability;
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

attribution::Attribution attribute_by(const std::string& method, const AttributeArguments& arguments,
                                      const ModelSet& models, const Question& question) {
  const auto& [images, target, score, names] = question;
  if (method == "gradient") return attribution::gradient(*models.classifier, images, target, score);
  if (method == "input-times-gradient")
    return attribution::input_times_gradient(*models.classifier, images, target, score);
  if (method == "integrated-gradients")
    return attribution::integrated_gradients(*models.classifier, images, target, score, arguments.integrated);
  Generator generator = make_generator(models.seed, "attribution/smooth-grad");
  return attribution::smooth_grad(*models.classifier, images, target, score, arguments.smooth, generator);
}

/// Some images at a time, so that an interruption is heard.
attribution::Attribution attribute_all(const std::string& method, const AttributeArguments& arguments,
                                       const ModelSet& models, const Question& question) {
  constexpr std::int64_t at_once = 256;
  std::vector<at::Tensor> values, scores, errors;
  for (std::int64_t first = 0; first < question.images.size(0); first += at_once) {
    throw_if_interrupted();
    const std::int64_t count = std::min(at_once, question.images.size(0) - first);
    const Question some = {
        question.images.narrow(0, first, count), question.target.narrow(0, first, count), question.score, {}};
    attribution::Attribution found = attribute_by(method, arguments, models, some);
    values.push_back(found.values);
    scores.push_back(found.scores);
    if (found.completeness_error.defined()) errors.push_back(found.completeness_error);
  }
  return {at::cat(values), at::cat(scores), errors.empty() ? at::Tensor() : at::cat(errors)};
}

struct Result {
  std::string method;
  attribution::Attribution attribution;
  at::Tensor area;  ///< over the MoRF curve, (N)
};

at::Tensor area_of(const at::Tensor& values, const AttributeArguments& arguments, const ModelSet& models,
                   const Question& question) {
  return attribution::perturbation_curve(*models.classifier, question.images, question.target, values,
                                         question.score, arguments.perturbation)
      .area;
}

std::vector<Result> results_of(const AttributeArguments& arguments, const ModelSet& models,
                               const Question& question) {
  std::vector<Result> results;
  for (const std::string& method : method_names()) {
    const std::vector<std::string>& asked = arguments.methods;
    if (!asked.empty() && std::find(asked.begin(), asked.end(), method) == asked.end()) continue;
    attribution::Attribution found = attribute_all(method, arguments, models, question);
    const at::Tensor area = area_of(found.values, arguments, models, question);
    results.push_back({method, std::move(found), area});
  }
  Generator generator = make_generator(models.seed, "attribution/random-order");
  const at::Tensor random = at::rand(question.images.sizes(), generator);
  results.push_back({"random order", {random, {}, {}}, area_of(random, arguments, models, question)});
  return results;
}

void draw(const std::vector<Result>& results, const ModelSet& models, const Question& question,
          const fs::path& folder) {
  const std::int64_t shown = std::min(kShown, question.images.size(0));
  report::ImageGrid grid;
  grid.title = "What speaks for the class (red) and against it (blue)";
  std::vector<at::Tensor> rows = {question.images.narrow(0, 0, shown).expand({shown, 3, -1, -1})};
  grid.row_labels = {"image"};
  for (const Result& result : results) {
    if (!result.attribution.scores.defined()) continue;
    rows.push_back(report::heat_map(result.attribution.values.narrow(0, 0, shown).sum(1)));
    grid.row_labels.push_back(result.method);
  }
  grid.images = at::stack(rows);
  for (std::int64_t i = 0; i < shown; ++i)
    grid.column_labels.push_back(
        models.class_names[static_cast<std::size_t>(question.target[i].item<std::int64_t>())]);
  grid.column_axis = "the class that is asked about";
  report::draw(grid, folder / "attributions");
}

/// For Python: each method's values, the images and the classes that were asked about.
void save(const std::vector<Result>& results, const Question& question, const fs::path& folder) {
  nn::NamedTensors tensors = {{"images", question.images.contiguous()}, {"target", question.target}};
  for (const Result& result : results)
    if (result.attribution.scores.defined())
      tensors.push_back({result.method, result.attribution.values.contiguous()});
  nn::save_safetensors(folder / "attributions.safetensors", tensors);
}

nlohmann::json to_json(const std::vector<Result>& results, const ModelSet& models, const Question& question) {
  nlohmann::json images = nlohmann::json::array();
  for (std::int64_t i = 0; i < question.images.size(0); ++i)
    images.push_back(
        {{"image", question.names[static_cast<std::size_t>(i)]},
         {"target", models.class_names[static_cast<std::size_t>(question.target[i].item<std::int64_t>())]},
         {"score", results.front().attribution.scores[i].item<double>()}});
  nlohmann::json methods = nlohmann::json::object();
  for (const Result& result : results) {
    nlohmann::json& own = methods[result.method];
    own["area_over_curve"] = result.area.mean().item<double>();
    if (result.attribution.completeness_error.defined())
      own["completeness_error"] = result.attribution.completeness_error.abs().max().item<double>();
  }
  return {{"score", attribution::name_of(question.score)}, {"images", images}, {"methods", methods}};
}

void print(const std::vector<Result>& results) {
  std::cout << fmt::format("{:<24} {:>24} {:>24}\n", "method", "area over MoRF curve",
                           "largest incompleteness");
  for (const Result& result : results) {
    const at::Tensor& error = result.attribution.completeness_error;
    std::cout << fmt::format("{:<24} {:>24.4f} {:>24}\n", result.method, result.area.mean().item<double>(),
                             error.defined() ? fmt::format("{:.2g}", error.abs().max().item<double>()) : "");
  }
}

void attribute(const AttributeArguments& arguments) {
  const ModelSet models = load_classifier(arguments.models, arguments.input);
  const Question question = question_of(arguments, models);
  const std::vector<Result> results = results_of(arguments, models, question);
  if (!arguments.out.empty()) {
    draw(results, models, question, arguments.out);
    save(results, question, arguments.out);
  }
  if (arguments.json)
    std::cout << to_json(results, models, question).dump(2) << "\n";
  else
    print(results);
}

}  // namespace

void add_attribute(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "attribute",
      "Shows which pixels speak for the classifier's answer, by gradients, and measures the maps",
      {"attribute runs/gce/fmnist-034 --images 3,17 --out figures",
       "attribute --classifier C.pt --picture mine.png --input 3x32x32 --target 5 --out figures",
       "attribute --classifier C.pt --data cifar10 --count 500 --method integrated-gradients --json"});
  auto arguments = std::make_shared<AttributeArguments>();
  add_classifier_arguments(*command, arguments->models);
  command->add_option("--input", arguments->input, "What pictures are brought to, beside --classifier")
      ->type_name("CxHxW");
  add_image_choice(*command, arguments->images, arguments->count);
  command->add_option("--method", arguments->methods, "May be repeated (default: all)")
      ->check(CLI::IsMember(method_names()))
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
  command
      ->add_option("--target", arguments->target,
                   "The class that is asked about, by name (default: the answer)")
      ->type_name("CLASS");
  command->add_option("--score", arguments->score, "What is explained of it")
      ->check(CLI::IsMember({"logit", "probability"}))
      ->capture_default_str();
  command->add_option("--steps", arguments->integrated.steps, "Points of integrated gradients")
      ->check(whole_number(1, 10'000))
      ->capture_default_str();
  command->add_option("--samples", arguments->smooth.samples, "Gradients that SmoothGrad averages")
      ->check(whole_number(1, 100'000))
      ->capture_default_str();
  command
      ->add_option("--noise", arguments->smooth.noise, "SmoothGrad's noise, as a share of an image's range")
      ->check(number(0))
      ->capture_default_str();
  command
      ->add_option("--patch", arguments->perturbation.patch,
                   "Side of the regions that the MoRF curve takes out")
      ->check(whole_number(1, 4096))
      ->capture_default_str();
  command->add_option("--out", arguments->out, "Folder for figure and tensors (default: neither is written)")
      ->type_name("DIR");
  command->add_flag("--json", arguments->json, "Prints JSON");
  command->callback([&chosen, arguments] { chosen = [arguments] { attribute(*arguments); }; });
}

}  // namespace whence::cli
