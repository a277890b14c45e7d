// The models a command works on: those of a run folder, or the user's own TorchScript files.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "whence/data/dataset.h"
#include "whence/models/roles.h"

namespace whence::cli {

struct ModelArguments {
  std::string run;
  std::string classifier, encoder, decoder, output = "auto", data;
  std::vector<std::int64_t> classes;
  std::int64_t latents = 0, causal = 0, seed = 0, threads = 0;
};

/// The options that all commands on models share. `images`: the command also needs an encoder and images.
void add_model_arguments(CLI::App& command, ModelArguments& arguments, bool images);

struct ModelSet {
  std::unique_ptr<models::Classifier> classifier;
  std::unique_ptr<models::Encoder> encoder;  ///< null without images
  std::unique_ptr<models::Decoder> decoder;
  data::Dataset test;  ///< undefined tensors without images
  std::vector<std::string> class_names, factors;
  std::int64_t causal = 0;
  std::uint64_t seed = 0;
};
/// Errors (usage): neither a run folder nor all files; both; a number of factors that does not fit.
ModelSet load_models(const ModelArguments& arguments, bool images);

}  // namespace whence::cli
