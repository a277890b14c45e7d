// whence counterfactual: the smallest move of the causal factors that changes the classifier's answer.
#include "whence/explain/counterfactual/counterfactual.h"

#include <fmt/format.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "kinds/counterfactual/counterfactual.h"
#include "kinds/counterfactual/search_keys.h"
#include "whence/core/error.h"

namespace whence::cli {
namespace {

struct CounterfactualArguments {
  ModelArguments models;
  std::vector<std::int64_t> images;
  std::int64_t count = 500;
  std::string to, out;
  bool json = false;
};

std::vector<config::Key> counterfactual_keys() {
  using namespace config;
  using A = CounterfactualArguments;
  std::vector<Key> keys = kinds::counterfactual_search_keys();
  keys.insert(keys.begin(),
              {"to", Text{at(&A::to)}, "CLASS", "The class to move to, by name (default: any other)"});
  keys.push_back({"out", Text{at(&A::out)}, "DIR", "Folder for the figure (default: none is drawn)"});
  keys.push_back({"json", Toggle{at(&A::json)}, "", "Prints JSON, every image on its own"});
  return keys;
}

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

void counterfactual(config::Values& values) {
  const auto& arguments = values.get<CounterfactualArguments>();
  auto& options = values.get<counterfactual::CounterfactualOptions>();
  constexpr double most_shells = 10'000;
  if (options.step > 0 && options.step * most_shells < options.radius)
    fail_usage("--step is {}, but must be 0 or at least a {:.0f}th of --radius, {}", options.step,
               most_shells, options.radius);
  const ModelSet models = load_models(arguments.models, true);
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
  auto values = std::make_shared<config::Values>();
  auto& arguments = values->get<CounterfactualArguments>();
  add_model_arguments(*command, arguments.models, true);
  add_picture_option(*command, arguments.models);
  add_image_choice(*command, arguments.images, arguments.count);
  add_flags(*command, counterfactual_keys(), values);
  command->callback([&chosen, values] { chosen = [values] { counterfactual(*values); }; });
}

}  // namespace whence::cli
