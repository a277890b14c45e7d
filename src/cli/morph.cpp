// whence morph: what an image would be as another class.
#include <fmt/format.h>

#include <iostream>

#include "cli/asked_images.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/models.h"
#include "cli/setup.h"
#include "cli/sharding.h"
#include "kinds/morphing/entropy.h"
#include "kinds/morphing/known.h"
#include "kinds/morphing/results.h"
#include "kinds/morphing/study.h"
#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"

namespace whence::cli {
namespace {

namespace fs = std::filesystem;

struct MorphArguments {
  ModelArguments models;
  Sharding sharding;
  std::string input, out;
  std::vector<std::int64_t> images;
  std::int64_t count = 100;
  bool json = false, controls = true;
  std::shared_ptr<config::Values> values = std::make_shared<config::Values>();
};

/// For Python.
void save(const kinds::MorphStudy& study, const fs::path& folder) {
  nn::save_safetensors(folder / "morphs.safetensors",
                       {{"images", study.images.contiguous()},
                        {"reconstructions", study.reconstructions.contiguous()},
                        {"morphs", study.ways.front().after.contiguous()},
                        {"codes", study.morphs.codes.contiguous()},
                        {"moved", study.morphs.moved.contiguous()},
                        {"from", study.morphs.from.contiguous()},
                        {"to", study.morphs.to.contiguous()}});
}

nlohmann::json images_of(const kinds::MorphStudy& study, const experiment::Results& results) {
  const counterfactual::Morphs& morphs = study.morphs;
  const auto name = [&](const at::Tensor& label) {
    return results.about.at("classes").at(static_cast<std::size_t>(label.item<std::int64_t>()));
  };
  nlohmann::json images = nlohmann::json::array();
  for (std::int64_t i = 0; i < morphs.to.size(0); ++i) {
    const auto ending = static_cast<counterfactual::Ending>(morphs.endings[i].item<std::int64_t>());
    nlohmann::json own = {
        {"image", results.facts.at(static_cast<std::size_t>(study.rows[i].item<std::int64_t>()))},
        {"from", name(morphs.from[i])},
        {"to", name(morphs.to[i])},
        {"ending", name_of(ending)},
        {"iterations", morphs.iterations[i].item<std::int64_t>()},
        {"entropy", morphs.entropy[i].item<double>()},
        {"probability", morphs.probability[i].item<double>()}};
    const at::Tensor& transfers = study.ways.front().judged.transfers;
    if (transfers.defined()) own["transfers"] = transfers[i].item<bool>();
    images.push_back(std::move(own));
  }
  return images;
}

void print(const nlohmann::json& metrics) {
  const nlohmann::json& morph = metrics.at("ways").at("morph");
  std::cout << fmt::format("{} morphs, {:.2f} % finished; ", metrics.at("cases").get<std::int64_t>(),
                           100 * (1 - morph.at("unfinished").get<double>()));
  std::cout << fmt::format("{} left out because they are of the class already\n",
                           metrics.at("left_out").get<std::int64_t>());
  std::cout << kinds::lines_of_ways(metrics, {"failed", "transfer", "neighbours", "reencoding", "distance",
                                              "im1", "im2", "iterations", "seconds_per_image"});
  if (metrics.contains("path_entropy"))
    std::cout << kinds::entropy_sentence(metrics.at("path_entropy")) << "\n";
}

experiment::Results study_block(const kinds::MorphingModels& view, const at::Tensor& images,
                                experiment::Block block, const kinds::MorphingOptions& options, bool controls,
                                const fs::path& figures) {
  try {
    const kinds::MorphStudy study = kinds::study_morphs(view, images, options, controls, show_progress());
    if (const std::string warning = kinds::reconstruction_warning(study, view); !warning.empty())
      std::cerr << "whence: warning: " << warning << "\n";
    if (!figures.empty()) {
      report::draw(kinds::morph_figure(study, view, kShown), figures / "morphs");
      report::draw(kinds::ways_figure(study, view, kShown), figures / "morphs-and-controls");
    }
    return kinds::results_of(study, block.first);
  } catch (const kinds::NothingToMorph&) {
    return kinds::left_out_results(block.count);
  }
}

/// A study of the models, not of single images: the first block makes it.
void add_entropy(const kinds::MorphingModels& view, const kinds::MorphingOptions& options,
                 experiment::Results& results, const fs::path& figures) {
  nlohmann::json entropy = kinds::path_entropy(view, options.entropy_pairs);
  if (entropy.is_null()) return;
  if (!figures.empty()) report::draw(kinds::entropy_chart(entropy), figures / "path-entropy");
  results.notes["path_entropy"] = std::move(entropy);
}

void morph(const MorphArguments& arguments) {
  kinds::MorphingOptions options = arguments.values->get<kinds::MorphingOptions>();
  const ModelSet models = load_autoencoder(arguments.models, arguments.input);
  const AskedImages asked(models, arguments.images, arguments.count, "morphing/images");
  const counterfactual::KnownCodes known = known_codes_of(models, options.known);
  std::optional<counterfactual::ClassAutoencoders> autoencoders;
  if (models.train.images.defined())
    autoencoders = kinds::class_autoencoders(models.train, options.components, models.seed);
  const kinds::MorphingModels view{*models.classifier,
                                   {*models.encoder, *models.decoder, known},
                                   models.independent.get(),
                                   autoencoders ? &*autoencoders : nullptr,
                                   models.causal,
                                   models.class_names,
                                   models.seed,
                                   models.translator ? &*models.translator : nullptr};
  const nlohmann::json about = {{"classes", models.class_names},
                                {"sure", kinds::sure_images(view, options.search.entropy)},
                                {"method", static_cast<int>(options.search.method)},
                                {"entropy", options.search.entropy},
                                {"residual", options.search.residual}};
  const auto compute = [&](experiment::Block block, const fs::path& figures) {
    experiment::Results results = study_block(view, asked.images(block.first, block.count), block, options,
                                              arguments.controls, figures);
    if (!results.rows.empty()) results.about.update(about);
    if (block.first == 0 && options.entropy_pairs > 0) add_entropy(view, options, results, figures);
    for (std::int64_t i = 0; i < block.count; ++i) results.facts.push_back(asked.name(block.first + i));
    return results;
  };
  if (const auto results =
          carry_out(arguments.sharding, {asked.size(), asked.fingerprint(), arguments.out, compute}))
    finish_morph(*results, arguments.out, arguments.json);
}

/// Images have a flag of their own here.
std::vector<config::Key> flag_keys() {
  std::vector<config::Key> keys = kinds::morphing_section().keys;
  std::erase_if(keys, [](const config::Key& key) { return key.name == "images"; });
  return keys;
}

}  // namespace

void finish_morph(const experiment::Results& results, const fs::path& out, bool json) {
  const kinds::MorphStudy study = kinds::study_of(results);
  kinds::MorphingOptions options;
  options.search.method = static_cast<counterfactual::MorphMethod>(results.about.at("method").get<int>());
  results.about.at("entropy").get_to(options.search.entropy);
  results.about.at("residual").get_to(options.search.residual);
  if (!out.empty()) save(study, out);
  nlohmann::json metrics = kinds::to_json(study, results.about.at("sure"), options);
  metrics["images"] = results.facts.size();
  if (results.notes.contains("path_entropy")) metrics["path_entropy"] = results.notes.at("path_entropy");
  if (json) {
    metrics["results"] = images_of(study, results);
    std::cout << metrics.dump(2) << "\n";
  } else {
    print(metrics);
  }
}

void add_morph(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "morph",
      "Shows what an image would be as another class, and measures whether the change is one of the class",
      {"morph runs/morphing/mnist --images 3,17 --target 8 --out figures",
       "morph runs/morphing/mnist --picture mine.png --out figures",
       "morph --classifier C.pt2 --encoder E.pt2 --decoder D.pt2 --data mnist --count 500 --json"});
  auto arguments = std::make_shared<MorphArguments>();
  add_autoencoder_arguments(*command, arguments->models);
  command
      ->add_option("--input", arguments->input,
                   "Size that pictures are scaled to (default: what the classifier's file tells)")
      ->type_name("CxHxW");
  add_image_choice(*command, arguments->images, arguments->count);
  add_flags(*command, flag_keys(), arguments->values);
  command->add_flag("!--no-controls", arguments->controls,
                    "Leaves out the translations, adversarial changes and latent counterfactuals");
  command
      ->add_option("--out", arguments->out,
                   "Folder of the figures and the tensors (default: none are written)")
      ->type_name("DIR");
  add_sharding(*command, arguments->sharding, counterfactual::MorphOptions{}.batch);
  command->add_flag("--json", arguments->json, "Prints JSON, every image on its own");
  command->callback([&chosen, arguments] { chosen = [arguments] { morph(*arguments); }; });
}

}  // namespace whence::cli
