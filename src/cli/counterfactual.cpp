// whence counterfactual: the smallest move of the causal factors that changes the classifier's answer.
#include "whence/explain/counterfactual/counterfactual.h"

#include <fmt/format.h>

#include <iostream>

#include "cli/asked_images.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "cli/sharding.h"
#include "cli/texts.h"
#include "kinds/counterfactual/counterfactual.h"
#include "kinds/counterfactual/search_keys.h"
#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSearchedAtOnce = 500;

struct CounterfactualArguments {
  ModelArguments models;
  Sharding sharding;
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
  keys.push_back(
      {"out", Text{at(&A::out)}, "DIR", "Folder of the figure and the tensors (default: none are written)"});
  keys.push_back({"json", Toggle{at(&A::json)}, "", "Prints JSON, every image on its own"});
  return keys;
}

std::vector<float> values_of(const at::Tensor& row) {
  const at::Tensor whole = row.contiguous();
  return {whole.data_ptr<float>(), whole.data_ptr<float>() + whole.numel()};
}

/// Calls `visit(name, tensor)` for every tensor.
template <class Counterfactuals, class Visit>
void for_tensors(Counterfactuals& found, const Visit& visit) {
  visit("codes", found.codes);
  visit("move", found.move);
  visit("distance", found.distance);
  visit("found", found.found);
  visit("already", found.already);
  visit("original", found.original);
  visit("before", found.before);
  visit("after", found.after);
  visit("from", found.from);
  visit("to", found.to);
}

nlohmann::json to_json(const counterfactual::Counterfactuals& result, const nlohmann::json& facts,
                       const std::vector<std::string>& class_names) {
  const auto name = [&](const at::Tensor& label) {
    return class_names[static_cast<std::size_t>(label.item<std::int64_t>())];
  };
  nlohmann::json images = nlohmann::json::array();
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const bool found = result.found[i].item<bool>();
    nlohmann::json entry = facts.at(static_cast<std::size_t>(i));
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
  nlohmann::json json = counterfactual::to_json(counterfactual::summarise(result), class_names);
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

/// Of test texts, where none is given; each takes a line of its own in a terminal.
constexpr std::int64_t kTexts = 8;

/// Radius and step have other defaults than for images: a text is a step function of alpha, and cheap.
void counterfactual_of_texts(const CounterfactualArguments& arguments,
                             const counterfactual::CounterfactualOptions& options, const CLI::App& command) {
  refuse_sharding(arguments.sharding, "a run about texts");
  refuse_for_texts(command, arguments.models, {"--out", "--images", "--picture", "--block"});
  refuse_beside_text(command, "--count");
  text::ChangeSearch search;
  search.probability = options.probability;
  search.rays = options.rays;
  if (command.count("--radius") > 0) search.radius = options.radius;
  if (options.step > 0) search.step = options.step;
  const bool counted = arguments.json || command.count("--count") > 0;
  show_text_counterfactuals({.run = arguments.models.run,
                             .texts = arguments.models.texts,
                             .count = counted ? arguments.count : kTexts,
                             .threads = arguments.models.threads,
                             .json = arguments.json},
                            search, arguments.to);
}

void counterfactual(config::Values& values, const CLI::App& command) {
  const auto& arguments = values.get<CounterfactualArguments>();
  auto& options = values.get<counterfactual::CounterfactualOptions>();
  constexpr double most_shells = 10'000;
  if (options.step > 0 && options.step * most_shells < options.radius)
    fail_usage("--step is {}, but must be 0 or at least a {:.0f}th of --radius, {}", options.step,
               most_shells, options.radius);
  if (is_about_texts(arguments.models.run)) return counterfactual_of_texts(arguments, options, command);
  const ModelSet models = load_models(arguments.models, true);
  if (!arguments.to.empty()) options.to = class_index(arguments.to, models.class_names);
  const AskedImages asked(models, arguments.images, arguments.count, "counterfactual/images");
  const auto compute = [&](experiment::Block block, const fs::path& figures) {
    const at::Tensor images = asked.images(block.first, block.count);
    const counterfactual::Counterfactuals found =
        counterfactual::explain_counterfactually(*models.encoder, *models.decoder, *models.classifier, images,
                                                 models.causal, options, show_progress());
    if (!figures.empty())
      kinds::draw_counterfactuals(found, images.narrow(0, 0, std::min(kShown, images.size(0))),
                                  *models.decoder, *models.classifier, models.class_names,
                                  figures / "counterfactuals");
    experiment::Results results;
    for_tensors(found, [&](const char* name, const at::Tensor& each) {
      results.rows.push_back({name, each.contiguous()});
    });
    for (std::int64_t i = 0; i < block.count; ++i) results.facts.push_back(asked.facts(block.first + i));
    results.about = {{"classes", models.class_names}, {"causal", found.causal}, {"radius", found.radius}};
    return results;
  };
  if (const auto results =
          carry_out(arguments.sharding, {asked.size(), asked.fingerprint(), arguments.out, compute}))
    finish_counterfactual(*results, arguments.out, arguments.json);
}

}  // namespace

void finish_counterfactual(const experiment::Results& results, const fs::path& out, bool json) {
  counterfactual::Counterfactuals found;
  for_tensors(found, [&](const char* name, at::Tensor& values) { values = results.row(name); });
  results.about.at("causal").get_to(found.causal);
  results.about.at("radius").get_to(found.radius);
  const auto class_names = results.about.at("classes").get<std::vector<std::string>>();
  if (!out.empty()) nn::save_safetensors(out / "counterfactuals.safetensors", results.rows);
  if (json)
    std::cout << to_json(found, results.facts, class_names).dump(2) << "\n";
  else
    print(counterfactual::summarise(found), class_names);
}

void add_counterfactual(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "counterfactual",
      "Finds the smallest move of the causal factors that changes the classifier's answer",
      {"counterfactual runs/gce/fmnist-034 --images 3,17 --to Coat --out figures",
       "counterfactual runs/gce/fmnist-034 --picture mine.png --out figures",
       "counterfactual runs/text/sst --text 'a moving and funny film'",
       "counterfactual --classifier C.pt --encoder E.pt --decoder D.pt --latents 6 --causal 2 --data "
       "fashion-mnist --classes 0,3,4 --count 0 --json"});
  auto values = std::make_shared<config::Values>();
  auto& arguments = values->get<CounterfactualArguments>();
  add_model_arguments(*command, arguments.models, true);
  add_picture_option(*command, arguments.models);
  add_text_option(*command, arguments.models);
  add_image_choice(*command, arguments.images, arguments.count);
  add_flags(*command, counterfactual_keys(), values);
  add_sharding(*command, arguments.sharding, kSearchedAtOnce);
  command->callback(
      [&chosen, values, command] { chosen = [values, command] { counterfactual(*values, *command); }; });
}

}  // namespace whence::cli
