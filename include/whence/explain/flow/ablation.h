// Ablation and fidelity on held-out data: accuracy without one factor, and the quality of reconstructions.
#pragma once

#include <ATen/core/Generator.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/models/roles.h"

namespace whence::flow {

/// Accuracy of the classifier against the labels (Verhoeven et al. 2021 section 6.1 and figure 3).
struct Ablation {
  double original = 0;           ///< on the images themselves
  double reencoded = 0;          ///< on their reconstructions from the posterior mean
  std::vector<double> replaced;  ///< the same with latent i replaced by a fresh N(0, 1) draw
  std::int64_t samples = 0;      ///< images; an accuracy a has the standard error sqrt(a (1 - a) / samples)
};
/// Progress: stage "ablation", one step a batch of images.
Ablation ablate(const models::Encoder& encoder, const models::Decoder& decoder,
                const models::Classifier& classifier, const data::Dataset& dataset, at::Generator& generator,
                const ProgressCallback& progress = {});

/// {"original", "reencoded", "replaced": {factor: accuracy}, "samples"}
nlohmann::json to_json(const Ablation& ablation, const std::vector<std::string>& factors);

/// The two parts of the VAE bound; see gce/objective.h. Codes are drawn from the posterior.
struct Fidelity {
  double sse = 0;        ///< squared error summed over pixels, averaged over images
  double kl = 0;         ///< nats, averaged over images
  double se = 0;         ///< standard error of sse + kl over the images; 0 for a single one
  at::Tensor of_images;  ///< sse + kl of each image, float32, (N)

  double bound() const { return sse + kl; }
};
Fidelity fidelity(const models::Encoder& encoder, const models::Decoder& decoder,
                  const data::Dataset& dataset, at::Generator& generator);

}  // namespace whence::flow
