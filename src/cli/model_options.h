// The options of commands that work on models, and what is wrong with them together.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "whence/models/roles.h"

namespace whence::cli {

struct ModelArguments {
  std::string run;
  std::string classifier, encoder, decoder, independent, output = "auto", entry, data;
  std::string device;  ///< of a run folder; empty: its own
  std::vector<std::int64_t> classes;
  std::vector<std::string> pictures;
  std::int64_t latents = 0, causal = 0, seed = 0, threads = 0, label = -1;
  std::vector<std::string> texts;  ///< for a run about texts
};

/// The options that all commands on models share. `images`: the command also needs an encoder and images.
void add_model_arguments(CLI::App& command, ModelArguments& arguments, bool images);
/// For commands that can as well be asked about single pictures of the user's.
void add_picture_option(CLI::App& command, ModelArguments& arguments);
/// Files beside any number of run folders: a classifier with data, and a generator.
void add_explored_files(CLI::App& command, ModelArguments& arguments);
/// --text, of commands that a run about texts can be asked about a text of the user's.
void add_text_option(CLI::App& command, ModelArguments& arguments);
/// Those of a command that needs a classifier and images, and no generator. `pictures`: also single ones of the user's.
void add_classifier_arguments(CLI::App& command, ModelArguments& arguments, bool pictures = true);
/// Those of a command that needs a classifier, an autoencoder and images, and no causal factors.
void add_autoencoder_arguments(CLI::App& command, ModelArguments& arguments);
/// --encoder and --decoder.
void add_generator_files(CLI::App& command, ModelArguments& arguments);
/// The options of a command about a generator, for which a classifier and an encoder are welcome, but not needed.
void add_generator_arguments(CLI::App& command, ModelArguments& arguments);
/// --images and --count.
void add_image_choice(CLI::App& command, std::vector<std::int64_t>& images, std::int64_t& count);

/// Errors (usage): a run folder beside what only goes with model files.
void refuse_beside_run(const ModelArguments& arguments);
/// Errors (usage): two sources of models or of images.
void check_choice(const ModelArguments& arguments);
/// Also that all files of an explanation are there.
void check_arguments(const ModelArguments& arguments, bool images);

/// How the classifier's file is read.
models::ClassifierReading reading_of(const ModelArguments& arguments);

}  // namespace whence::cli
