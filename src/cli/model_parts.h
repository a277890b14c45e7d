// What the loaders of models share.
#pragma once

#include "cli/models.h"
#include "experiment/session.h"

namespace whence::cli {

/// The run folder of the arguments, with its threads and its device unless --threads and --device say others.
experiment::Session open_run(const ModelArguments& arguments);

/// Error: the run is about texts, but the command works on images.
void refuse_texts(const experiment::Session& session, const std::string& run);

/// Pictures in the form of `image`, (C, H, W).
experiment::Samples read_pictures(const std::vector<std::string>& files, at::IntArrayRef image);
/// --picture in the form that `input` ("3x32x32") or else the classifier's file tells. Error (usage): neither does.
experiment::Samples pictures_for_files(const ModelArguments& arguments, const std::string& input);
/// Of --data and --classes. A note on what serves as test goes to stderr.
data::Splits images_of(const ModelArguments& arguments);
/// Their test images.
data::Dataset test_images(const ModelArguments& arguments);

/// Of a run that is asked about pictures; nothing, with a warning, where they are not there.
data::Dataset optional_training_images(experiment::Session& session);

/// A few images, to try a model with: the pictures, or those of the test.
at::Tensor probe_of(const ModelSet& set);
/// A few images that a generator draws.
at::Tensor drawn_probe(const models::Decoder& decoder, std::uint64_t seed);

/// Numbers for classes that no data name. `chosen`: --label, or below 0. Error (usage): data that name others than the classifier's.
void name_classes(ModelSet& set, std::int64_t chosen);

}  // namespace whence::cli
