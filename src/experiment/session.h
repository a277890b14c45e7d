// The state of a run while it works: recipe, folder, data, models.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiment/folder.h"
#include "experiment/recipe.h"
#include "whence/core/progress.h"
#include "whence/data/known.h"
#include "whence/models/roles.h"
#include "whence/platform/device.h"
#include "whence/platform/precision.h"

namespace whence::experiment {

/// A data set as options name it: a known one, or the user's own files. Errors: those of data::load.
data::Splits load_data(const DataOptions& options);

/// The task of a run's networks: image shape and classes.
struct Task {
  nn::Shape image;
  std::vector<std::string> class_names;
};

struct Models {
  std::unique_ptr<models::Classifier> classifier;
  std::unique_ptr<models::Encoder> encoder;
  std::unique_ptr<models::Decoder> decoder;
};

class Session {
 public:
  /// `task`: where it is known without the data; else it is taken from them.
  Session(Recipe recipe, RunFolder folder, std::optional<Task> task = std::nullopt)
      : recipe_(std::move(recipe)), folder_(std::move(folder)), task_(std::move(task)) {}

  const Recipe& recipe() const { return recipe_; }
  template <class Options>
  const Options& get() const {
    return recipe_.get<Options>();
  }
  const RunFolder& folder() const { return folder_; }
  std::uint64_t seed() const { return static_cast<std::uint64_t>(recipe_.seed()); }
  /// Where its networks lie. Error: run.device names none that is there.
  at::Device device() const { return device_named(get<RunOptions>().device); }
  /// Of the generator: generator.latents, else what a kind that was asked for needs; 0: there is none.
  std::int64_t latents() const;

  /// Loaded when first asked for.
  const data::Splits& data();
  /// The same of a recipe that names texts.
  const data::TextSplits& texts();
  /// How this recipe's texts are cut. Errors: those of data::read_tokenizer.
  data::Tokenizer tokenizer() const;
  /// What choices are made on, so that test images stay unseen; a set without such images has its test images here.
  const data::Dataset& validation_images();
  double load_seconds() const { return load_seconds_; }
  const Task& task();

  /// Writes NAME.safetensors.
  void save(const nn::Network& network, const std::string& name) const;

  /// Untrained networks as the recipe declares them.
  nn::Network classifier_network();
  nn::Network encoder_network();
  nn::Network decoder_network();
  /// Declares them all, and reads a classifier's file. Errors: (usage) an architecture that does not fit the images; a file
  /// that is not there, no model, or tells other classes apart; so they are told before the first training.
  void check_networks();

  /// The explained classifier, and the trained generator. Error: not trained yet.
  std::unique_ptr<models::Classifier> classifier(Precision with);
  std::unique_ptr<models::Encoder> encoder(Precision with);
  std::unique_ptr<models::Decoder> decoder(Precision with);
  /// All three, as they are judged.
  Models judged();
  /// In which precision results are judged.
  Precision judging_precision() const;

  Precision precision = Precision::float32;  ///< of training
  ProgressCallback progress;

 private:
  /// On the run's device.
  nn::Network placed(nn::Network network) const;
  models::AutoencoderShape generator_shape();
  /// Images to try a user's classifier with: some of the data or, where the data are not loaded and need not be, noise.
  at::Tensor probe();
  /// Loads weights into `network`. Error: no such file yet.
  nn::Network trained(nn::Network network, std::string_view file);

  Recipe recipe_;
  RunFolder folder_;
  std::optional<Task> task_;
  std::optional<data::Splits> data_;
  std::optional<data::TextSplits> texts_;
  double load_seconds_ = 0;
};

/// A session on what is in a run folder, to look at it, with other values ("run.device=cpu") than its recipe's; the data are needed only by what asks for images. Errors: not a
/// run folder; those of check_format.
Session open_session(const Kinds& kinds, const std::filesystem::path& folder,
                     const std::vector<std::string>& settings = {});

/// A recipe, or the recipe of a run folder, and the folder it runs in.
struct Target {
  Recipe recipe;
  std::filesystem::path folder;
};
/// `path` is a recipe or a run folder; `out` overrides the folder when it is not empty. Error: those of check_format.
Target find_target(const Kinds& kinds, const std::filesystem::path& path,
                   const std::vector<std::string>& settings, const std::filesystem::path& out);

}  // namespace whence::experiment
