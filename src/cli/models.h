// The models a command works on: those of a run folder, or the user's own model files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/model_options.h"
#include "experiment/figures.h"
#include "whence/data/dataset.h"
#include "whence/explain/counterfactual/image_model.h"
#include "whence/models/roles.h"
#include "whence/models/translator.h"

namespace whence::cli {

/// Columns of a figure of chosen images.
constexpr std::int64_t kShown = 9;

struct ModelSet {
  std::shared_ptr<models::Classifier> classifier;
  std::unique_ptr<models::Encoder> encoder;  ///< null without images
  std::unique_ptr<models::Decoder> decoder;
  std::unique_ptr<models::Classifier> independent;  ///< of load_autoencoder; null where there is none
  std::optional<models::Translator>
      translator;  ///< of load_autoencoder and load_classifier; nothing where there is none
  data::Dataset
      train;  ///< of load_autoencoder and, where asked for, load_classifier; not for pictures and files
  data::Dataset test;  ///< undefined tensors without images, and where pictures are given
  std::optional<experiment::Samples>
      pictures;  ///< those that were given, in the models' form, and their files' names
  std::vector<std::string> class_names, factors;
  std::int64_t causal = 0;
  std::uint64_t seed = 0;
};
/// Errors: those of data::read_picture; (usage) neither a run folder nor all files; both; both pictures and data; a number of
/// factors that does not fit.
ModelSet load_models(const ModelArguments& arguments, bool images);

/// Classifier, encoder and decoder, an independent classifier where there is one, and training images. `input` as load_classifier has
/// it. Errors: a run without a generator; as load_models.
ModelSet load_autoencoder(const ModelArguments& arguments, const std::string& input);

/// What is known of the codes: from at most `count` training images, of the test images where there are no others, or from draws of the
/// generator where no images of the data were given.
counterfactual::KnownCodes known_codes_of(const ModelSet& models, std::int64_t count);

/// How many of a run's factors are causal; 0 where it has no causal explanation.
std::int64_t causal_factors_of(const std::string& run);

/// The classifier in float32; encoder and decoder where the run, or the files, have them. `input`: a sample's shape "CxHxW", which pictures are brought to
/// where no run folder tells it. `training`: with training images, of a run that is asked about pictures only as far as they are there (a
/// warning). Errors as above.
ModelSet load_classifier(const ModelArguments& arguments, const std::string& input, bool training = false);

/// The decoder in float32, and what else there is: encoder and test images of a run or of files, and a classifier. `real`: a run's
/// test images even where it has no encoder, as far as they are there (a warning). Errors: as above; (usage) an encoder without images, or images without an encoder; a run without a generator.
ModelSet load_generator(const ModelArguments& arguments, bool real = false);

/// Test images that were named by number, or `count` at random (0: all); their rows. Errors (usage): no such image.
at::Tensor chosen_rows(const ModelSet& models, const std::vector<std::int64_t>& named, std::int64_t count,
                       const std::string& purpose);

/// Error (usage): no such class; names the nearest.
std::int64_t class_index(const std::string& name, const std::vector<std::string>& class_names);

}  // namespace whence::cli
