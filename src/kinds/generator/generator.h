// The kind "generator": a generator of images that is trained alone, a variational autoencoder or a GAN, and an encoder for a generator without
// one. Other kinds of a recipe find them as Session::decoder and Session::encoder, like those of an explanation.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiment/figures.h"
#include "experiment/kind.h"
#include "experiment/session.h"
#include "whence/models/train/gan.h"
#include "whence/models/train/inversion.h"
#include "whence/models/train/vae.h"

namespace whence::kinds {

using experiment::Session;

enum class GeneratorObjective { vae, gan };

/// [generator], beside experiment::GeneratorOptions. Steps, batch, learning rate and Adam's numbers of `vae` are also a GAN's; seed,
/// precision and checkpoints come from the run.
struct GeneratorTraining {
  GeneratorObjective objective = GeneratorObjective::vae;
  models::VaeTraining vae;
  models::GanTraining gan;
  double feature_weight = 0;                ///< of models::feature_term; 0: the classifier is not asked
  std::vector<std::string> feature_layers;  ///< empty: models::feature_layers
  bool whiten = false;                      ///< models::whiten_codes, after the training
  /// Of the encoder for a GAN or a decoder from a file; steps 0: none is trained.
  models::InverseTraining inverse = {.steps = 0};
  std::int64_t discriminator_width = 0;
  std::string features;                 ///< layer of the classifier; "": the last hidden one
  std::int64_t compared_images = 2000;  ///< of the test images, and as many samples
};

/// The row of the table.
experiment::Kind generator_kind();

/// Whether the recipe trains a generator alone, without an explanation.
bool trains_alone(const config::Values& values);
/// Whether that is an autoencoder, not a GAN nor a decoder from a file.
bool trains_autoencoder(const config::Values& values);
/// Whether an encoder is trained for a GAN or a decoder from a file, which stay as they are.
bool trains_inverse(const config::Values& values);
/// Whether the run has an encoder: that of an explanation or of an autoencoder, or one that was trained for a frozen generator.
bool has_encoder(const config::Values& values);
/// Whether it is trained to keep the classifier's answers, which an independent classifier then judges.
bool keeps_answers(const config::Values& values);

// What a training begins with; of explanations, too.

/// Errors: generator.start names a folder without weights, or with another number of latents.
void check_start(Session& session);
/// {"start": fingerprints of the weights}; empty without a start.
nlohmann::json start_content(Session& session);
/// Puts the weights of generator.start into the networks. Without a start a linear path gets the principal components of the training
/// images, for SSE + kl_weight KL; other networks stay as they are. Whether they have weights now. Error: those of check_start;
/// shapes that do not fit.
bool load_start(Session& session, nn::Network& encoder, nn::Network& decoder, double kl_weight);

/// How many test images keep the answers of the explained and of the independent classifier (null: not asked) when they are encoded and
/// decoded, beside controls: a shift by one pixel, and as many principal components as latents. {"images", "reconstructions":
/// {"explained", "independent", "sse"}, "shift": {...}, "components": {...}}
nlohmann::json kept_answers(Session& session, const models::Classifier& classifier,
                            const models::Classifier* independent, const models::Encoder& encoder,
                            const models::Decoder& decoder);

// The parts of the row, one file each.
config::Section generator_section();
void check_generator(const config::Values& values, const std::string& file);
experiment::Stage generator_stage();
experiment::Stage encoder_stage();
std::vector<experiment::Stage> generator_measuring_stages();
std::vector<experiment::Metric> generator_metrics();
void draw_generator(experiment::Run& run, experiment::Figures& figures);
void report_generator(const experiment::Run& run, report::Page& page);
void report_generator_seeds(const experiment::SeedSpread& spread, report::Page& page);

}  // namespace whence::kinds
