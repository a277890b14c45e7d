// whence translate: what an image would be as another class, by the translator of a run.
#include "kinds/translation/translation.h"

#include <iostream>

#include "cli/asked_images.h"
#include "cli/commands.h"
#include "cli/model_parts.h"
#include "cli/options.h"
#include "cli/setup.h"
#include "kinds/morphing/morphing.h"
#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"

namespace whence::cli {
namespace {

struct TranslateArguments {
  ModelArguments models;
  std::string target, out;
  std::vector<std::int64_t> images;
  std::int64_t count = 100;
  bool json = false, controls = true;
};

/// For Python.
void save_translations(const kinds::TranslationStudy& study, const std::filesystem::path& folder) {
  nn::save_safetensors(folder / "translations.safetensors",
                       {{"images", study.images.contiguous()},
                        {"translations", study.ways.front().after.contiguous()},
                        {"masks", study.ways.front().mask.contiguous()},
                        {"from", study.cases.from.contiguous()},
                        {"to", study.cases.to.contiguous()}});
}

nlohmann::json each_translation(const kinds::TranslationStudy& study, const AskedImages& asked,
                                const std::vector<std::string>& class_names) {
  const kinds::Way& way = study.ways.front();
  const auto name = [&](const at::Tensor& label) {
    return class_names[static_cast<std::size_t>(label.item<std::int64_t>())];
  };
  nlohmann::json list = nlohmann::json::array();
  for (std::int64_t i = 0; i < study.cases.rows.size(0); ++i) {
    nlohmann::json own = {{"image", asked.name(study.cases.rows[i].item<std::int64_t>())},
                          {"from", name(study.cases.from[i])},
                          {"to", name(study.cases.to[i])},
                          {"found", way.found[i].item<bool>()},
                          {"entropy", way.entropy[i].item<double>()},
                          {"mask", way.mask[i].mean().item<double>()},
                          {"cycle", way.cycle[i].item<double>()}};
    if (way.judged.transfers.defined()) own["transfers"] = way.judged.transfers[i].item<bool>();
    list.push_back(std::move(own));
  }
  return list;
}

void print_translations(const nlohmann::json& metrics) {
  std::cout << fmt::format("{} translations; {} images left out because they are of the class already\n",
                           metrics.at("cases").get<std::int64_t>(),
                           metrics.at("left_out").get<std::int64_t>());
  std::cout << kinds::lines_of_ways(
      metrics, {"failed", "unfinished", "transfer", "neighbours", "distance", "im1", "im2", "cycle", "mask"});
}

void translate(const TranslateArguments& arguments) {
  experiment::Session session = open_run(arguments.models);
  ModelSet images;
  images.class_names = session.task().class_names;
  images.seed = session.seed();
  data::Dataset train;
  if (arguments.models.pictures.empty()) {
    images.test = session.data().test;
    train = session.data().train;
  } else {
    images.pictures = read_pictures(arguments.models.pictures, session.task().image);
  }
  const std::string target =
      arguments.target.empty() ? session.get<kinds::TranslationOptions>().target : arguments.target;
  const double entropy = session.get<kinds::MorphingOptions>().search.entropy;
  const kinds::LoadedTranslation loaded = kinds::load_translation(session, train);
  const AskedImages asked(images, arguments.images, arguments.count, "translation/images");
  const kinds::TranslationStudy study = kinds::study_translations(
      loaded.view(), asked.images(0, asked.size()), target, entropy, arguments.controls);
  if (!arguments.out.empty()) {
    save_translations(study, arguments.out);
    report::draw(kinds::translation_figure(study, loaded.view(), kShown),
                 std::filesystem::path(arguments.out) / "translations");
  }
  nlohmann::json metrics = kinds::to_json(study, entropy);
  if (!arguments.json) return print_translations(metrics);
  metrics["results"] = each_translation(study, asked, loaded.class_names);
  std::cout << metrics.dump(2) << "\n";
}

}  // namespace

void add_translate(CLI::App& program, Command& chosen) {
  CLI::App* command = add_command(
      program, "translate",
      "Translates images to another class with a run's translator, and measures whether the change is one of "
      "the class",
      {"translate runs/morphing/fashion-mnist-translation --images 3,17 --target Coat --out figures",
       "translate runs/morphing/fashion-mnist-translation --picture mine.png --json"});
  auto arguments = std::make_shared<TranslateArguments>();
  command->add_option("run", arguments->models.run, "The folder of a run with a translator")
      ->type_name("RUN")
      ->required();
  add_picture_option(*command, arguments->models);
  command->add_option("--threads", arguments->models.threads, "0: as the run")->check(whole_number(0));
  add_image_choice(*command, arguments->images, arguments->count);
  command
      ->add_option("--target", arguments->target,
                   "The class to translate to: \"second\", \"every\" or a class (default: the recipe's)")
      ->type_name("CLASS");
  command->add_flag("!--no-controls", arguments->controls, "Leaves out the adversarial changes");
  command
      ->add_option("--out", arguments->out,
                   "Folder of the figure and the tensors (default: none are written)")
      ->type_name("DIR");
  command->add_flag("--json", arguments->json, "Prints JSON, every image on its own");
  command->callback([&chosen, arguments] { chosen = [arguments] { translate(*arguments); }; });
}

}  // namespace whence::cli
