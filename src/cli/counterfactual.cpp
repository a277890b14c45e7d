// whence counterfactual: the smallest move of the causal factors that changes the classifier's answer.
#include "whence/explain/counterfactual/counterfactual.h"

#include <fmt/format.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/setup.h"
#include "kinds/counterfactual/counterfactual.h"
#include "whence/core/error.h"

namespace whence::cli {
namespace {

struct CounterfactualArguments {
  ModelArguments models;
  std::vector<std::int64_t> images;
  std::int64_t count = 500;
  std::string to, out;
  double radius = 4, probability = 0, step = 0;
  std::int64_t rays = 0;
  bool json = false;
};

struct Asked {
  at::Tensor images;
  std::vector<nlohmann::json> facts;  ///< which each of them is
};

Asked asked_images(const CounterfactualArguments& arguments, const ModelSet& models) {
  Asked asked;
  if (models.pictures) {
    if (!arguments.images.empty()) fail_usage("give either --images or --picture, not both");
    asked.images = models.pictures->images;
    for (const std::string& name : models.pictures->labels) asked.facts.push_back({{"picture", name}});
    return asked;
  }
  const at::Tensor rows = chosen_rows(models, arguments.images, arguments.count, "counterfactual/images");
  asked.images = data::to_float(models.test, rows);
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const std::int64_t row = rows[i].item<std::int64_t>();
    const auto label = static_cast<std::size_t>(models.test.labels[row].item<std::int64_t>());
    asked.facts.push_back({{"image", row}, {"label", models.class_names[label]}});
  }
  return asked;
}

std::vector<float> values_of(const at::Tensor& row) {
  const at::Tensor whole = row.contiguous();
  return {whole.data_ptr<float>(), whole.data_ptr<float>() + whole.numel()};
}

nlohmann::json to_json(const counterfactual::Counterfactuals& result, const Asked& asked,
                       const ModelSet& models) {
  const auto name = [&](const at::Tensor& label) {
    return models.class_names[static_cast<std::size_t>(label.item<std::int64_t>())];
  };
  nlohmann::json images = nlohmann::json::array();
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const bool found = result.found[i].item<bool>();
    nlohmann::json entry = asked.facts[static_cast<std::size_t>(i)];
    entry.update({{"original", name(result.original[i].argmax())},
                  {"from", name(result.from[i])},
                  {"found", found},
                  {"before", values_of(result.before[i])}});
    if (found) {
      entry["to"] = name(result.to[i]);
      entry["distance"] = result.distance[i].item<double>();
      entry["move"] = values_of(result.move[i]);
      entry["after"] = values_of(result.after[i]);
    }
    images.push_back(std::move(entry));
  }
  nlohmann::json json = counterfactual::to_json(counterfactual::summarise(result), models.class_names);
  json["results"] = std::move(images);
  return json;
}

void print(const counterfactual::CounterfactualSummary& summary,
           const std::vector<std::string>& class_names) {
  const auto line = [](const std::string& name, const std::string& value) {
    std::cout << fmt::format("{:<44} {}\n", name, value);
  };
  line("images", fmt::format("{}", summary.images));
  line("reconstruction is of the image's class", fmt::format("{:.2f} %", 100 * summary.agreement));
  line("counterfactual found", fmt::format("{:.2f} % +- {:.2f} of {}", 100 * summary.flip_rate,
                                           100 * summary.flip_se, summary.asked));
  for (const auto& [name, value] : summary.distance) line("distance, " + name, fmt::format("{:.3f}", value));
  for (const counterfactual::ClassChange& change : summary.changes) {
    line(fmt::format("{} to {}, median distance", class_names[static_cast<std::size_t>(change.from)],
                     class_names[static_cast<std::size_t>(change.to)]),
         fmt::format("{:.3f} ({} images)", change.median, change.images));
  }
}

void counterfactual(const CounterfactualArguments& arguments) {
  constexpr double most_shells = 10'000;
  if (arguments.step > 0 && arguments.step * most_shells < arguments.radius)
    fail_usage("--step is {}, but must be 0 or at least a {:.0f}th of --radius, {}", arguments.step,
               most_shells, arguments.radius);
  const ModelSet models = load_models(arguments.models, true);
  counterfactual::CounterfactualOptions options;
  options.radius = arguments.radius;
  options.probability = arguments.probability;
  options.step = arguments.step;
  options.rays = arguments.rays;
  if (!arguments.to.empty()) options.to = class_index(arguments.to, models.class_names);
  const Asked asked = asked_images(arguments, models);
  const at::Tensor& images = asked.images;
  const counterfactual::Counterfactuals result = counterfactual::explain_counterfactually(
      *models.encoder, *models.decoder, *models.classifier, images, models.causal, options, show_progress());
  if (!arguments.out.empty()) {
    kinds::draw_counterfactuals(result, images.narrow(0, 0, std::min(kShown, images.size(0))),
                                *models.decoder, *models.classifier, models.class_names,
                                std::filesystem::path(arguments.out) / "counterfactuals");
  }
  if (arguments.json) {
    std::cout << to_json(result, asked, models).dump(2) << "\n";
  } else {
    print(counterfactual::summarise(result), models.class_names);
  }
}

}  // namespace

void add_counterfactual(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "counterfactual",
      "Finds the smallest move of the causal factors that changes the classifier's answer",
      {"counterfactual runs/gce/fmnist-034 --images 3,17 --to Coat --out figures",
       "counterfactual runs/gce/fmnist-034 --picture mine.png --out figures",
       "counterfactual --classifier C.pt --encoder E.pt --decoder D.pt --latents 6 --causal 2 --data "
       "fashion-mnist --classes 0,3,4 --count 0 --json"});
  auto arguments = std::make_shared<CounterfactualArguments>();
  add_model_arguments(*command, arguments->models, true);
  add_picture_option(*command, arguments->models);
  add_image_choice(*command, arguments->images, arguments->count);
  command->add_option("--to", arguments->to, "The class to move to, by name (default: any other)")
      ->check(some_text())
      ->type_name("CLASS");
  command->add_option("--radius", arguments->radius, "Largest |alpha| of a counterfactual")
      ->check(number_above_zero())
      ->capture_default_str();
  command->add_option("--probability", arguments->probability, "That the new class must reach")
      ->check(number(0.0, 0.999999))
      ->capture_default_str();
  command->add_option("--step", arguments->step, "Distance of the search's shells; 0 chooses")
      ->check(number(0));
  command
      ->add_option("--rays", arguments->rays, "Rays of the search, for two or more causal factors; 0 chooses")
      ->check(whole_number(0, 100'000));
  command->add_option("--out", arguments->out, "Folder for the figure (default: none is drawn)")
      ->type_name("DIR");
  command->add_flag("--json", arguments->json, "Prints JSON, every image on its own");
  command->callback([&chosen, arguments] { chosen = [arguments] { counterfactual(*arguments); }; });
}

}  // namespace whence::cli
