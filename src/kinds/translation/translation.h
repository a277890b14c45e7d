// The kind "translation": a network that turns images of each class into images of any other, in pixels, and whether the change is one of the class
// (Parafita 2018, chapter 6, asks for it; Zhu et al. 2017).
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiment/kind.h"
#include "experiment/session.h"
#include "kinds/morphing/ways.h"
#include "report/figures.h"
#include "whence/models/train/translation.h"

namespace whence::kinds {

struct TranslationOptions {
  std::int64_t images = 500;      ///< test images that are translated
  std::string target = "second";  ///< as MorphingOptions has it
  std::int64_t width = 0;         ///< 0: the architecture's own
  std::int64_t drawn = 8;         ///< test images whose translation is drawn
  models::TranslatorTraining training;

  TranslationOptions() { training.steps = 0; }
};

/// The row of the table.
experiment::Kind translation_kind();
/// Its part of a recipe.
config::Section translation_section();
/// Whether these values train a translator.
bool translates(const config::Values& values);

constexpr std::string_view kTranslatorStage = "translator";
experiment::Stage translator_stage();
/// The trained one; nothing where the run has none.
std::optional<models::Translator> translator_of(experiment::Session& session);
/// The same in a precision, as attribution::Options has it; null where the run has none.
std::shared_ptr<const models::Translator> shared_translator(experiment::Session& session,
                                                            Precision precision);

/// What a study works with. References must outlive it.
struct TranslationModels {
  const models::Classifier& classifier;
  const models::Translator& translator;
  const models::Classifier* independent = nullptr;
  const counterfactual::ClassAutoencoders* autoencoders = nullptr;
  const counterfactual::KnownImages* known = nullptr;
  std::vector<std::string> class_names = {};
};
/// The same, owned. Without training images (`train` undefined) there are no neighbours, no IM1 and no IM2.
struct LoadedTranslation {
  std::unique_ptr<models::Classifier> classifier, independent;
  std::optional<models::Translator> translator;
  std::optional<counterfactual::ClassAutoencoders> autoencoders;
  std::optional<counterfactual::KnownImages> known;
  std::vector<std::string> class_names;

  TranslationModels view() const;
};
/// Error: a run without a translator.
LoadedTranslation load_translation(experiment::Session& session, const data::Dataset& train);

/// A case is an image with a class to turn it into.
struct TranslationStudy {
  at::Tensor images;  ///< (n, C, H, W), one a case
  Cases cases;
  std::vector<Way> ways;   ///< the translations first
  std::int64_t asked = 0;  ///< images
  std::string target;
};

/// `entropy`: of the stopping rule, bits. Neighbours are training images, not reconstructions. Errors (usage): those of cases_of.
TranslationStudy study_translations(const TranslationModels& models, const at::Tensor& images,
                                    const std::string& target, double entropy, bool with_controls);
/// {"images", "cases", "left_out", "target", "entropy", "ways": {name: to_json(way)}}
nlohmann::json to_json(const TranslationStudy& study, double entropy);

/// Columns are cases, at most `shown`: the image, five images of the path, the translation, the mask, the image translated back.
report::ImageGrid translation_figure(const TranslationStudy& study, const TranslationModels& models,
                                     std::int64_t shown);

// From what to_json gives.
std::string translation_answer(const nlohmann::json& metrics);
report::Section translation_section_of(const nlohmann::json& metrics);

}  // namespace whence::kinds
