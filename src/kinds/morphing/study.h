// Morphs of some images with every measure, beside translations, adversarial changes and latent counterfactuals of the same images.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "kinds/morphing/morphing.h"
#include "kinds/morphing/ways.h"
#include "report/figures.h"
#include "report/page.h"

namespace whence::kinds {

/// What a study works with. References must outlive it.
struct MorphingModels {
  const models::Classifier& classifier;
  counterfactual::ImageModel model;
  const models::Classifier* independent = nullptr;
  const counterfactual::ClassAutoencoders* autoencoders = nullptr;
  std::int64_t causal = 0;  ///< above 0: latent counterfactuals are judged as well
  std::vector<std::string> class_names;
  std::uint64_t seed = 0;
  const models::Translator* translator = nullptr;  ///< its translations are judged beside the morphs
};

/// A case is an image with a class to turn it into.
struct MorphStudy {
  counterfactual::ImageCodes codes;  ///< of the images
  at::Tensor images;                 ///< (n, C, H, W), one a case
  at::Tensor rows;                   ///< int64 (n): which image each case is of
  at::Tensor
      reconstructions;  ///< (n, C, H, W), what the morphs start from: with their residual the images themselves
  at::Tensor residual;    ///< (n, C, H, W), images less reconstructions; undefined: not carried along
  at::Tensor reencoding;  ///< float32 (n): error of a reconstruction that is encoded and decoded again
  counterfactual::Morphs morphs;
  std::vector<Way> ways;      ///< the morphs first
  std::int64_t left_out = 0;  ///< images that are of the asked class already
  std::string target;
};

/// Errors (usage): a target that is no class; NothingToMorph.
MorphStudy study_morphs(const MorphingModels& models, const at::Tensor& images,
                        const MorphingOptions& options, bool with_controls, const ProgressCallback& progress);

/// {"images", "cases", "left_out", "target", "method", "kept", "sure_images": {...}, "ways": {name: {"failed", ...}}}
nlohmann::json to_json(const MorphStudy& study, const MorphingModels& models, const MorphingOptions& options);
/// The same where sure_images was called before.
nlohmann::json to_json(const MorphStudy& study, const nlohmann::json& sure, const MorphingOptions& options);
/// {class: share of its known images whose reconstruction is as sure as `entropy` asks}
nlohmann::json sure_images(const MorphingModels& models, double entropy);

/// Columns are cases, at most `shown`: the image, its reconstruction, `steps` images of the path, the morph.
report::ImageGrid morph_figure(const MorphStudy& study, const MorphingModels& models, std::int64_t shown);
/// What stands beside: the morph and every other way, changes in red and blue.
report::ImageGrid ways_figure(const MorphStudy& study, const MorphingModels& models, std::int64_t shown);

/// From what to_json gives.
/// The page's answer and headlines.
void answer_with_morphs(const nlohmann::json& metrics, report::Page& page);
report::Section morphing_section_of(const nlohmann::json& metrics);

/// One sentence for images whose reconstruction is worse than that of 99 % of the known ones; "" without such.
std::string reconstruction_warning(const MorphStudy& study, const MorphingModels& models);

}  // namespace whence::kinds
