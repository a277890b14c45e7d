// The best linear image model: a reference for SSE + KL.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "whence/data/dataset.h"
#include "whence/models/train/components.h"

namespace whence::flow {

/// The linear decoder x = mean + W z with the least SSE + KL on its training images, the encoder being the exact
/// posterior: probabilistic PCA (Tipping and Bishop 1999) with the noise variance 1/2 that SSE stands for, since
/// SSE = -log N(x; decoded, I / 2) + constant. W has the principal directions as columns, scaled by
/// sqrt(variance - 1/2); directions of a smaller variance are left out, as no code is worth its price there.
/// A linear image may leave [0, 1], and a network's decoder, which may bend, not: neither bounds the other.
struct LinearReference {
  at::Tensor mean;        ///< float32, (D), D = pixels times channels
  at::Tensor directions;  ///< float32, (D, used), orthonormal
  at::Tensor variances;   ///< float64, (used), of the training images along them; above 1/2, falling
};

/// With at most `latents` directions, models::principal_components' own. Errors: no images; no latents (usage).
LinearReference fit_linear(const data::Dataset& train, std::int64_t latents, at::Generator& generator);
/// The same from components that are known already.
LinearReference worth_their_code(const models::Components& components);

struct LinearFidelity {
  /// Squared error over pixels of an image decoded from a draw of its code, mean over images.
  double sse = 0;
  double kl = 0;          ///< of its code, nats; mean over images
  std::int64_t used = 0;  ///< directions

  double bound() const { return sse + kl; }
};

/// On other images of the same shape. Error: no images.
LinearFidelity fidelity(const LinearReference& model, const data::Dataset& dataset);

/// {"sse", "kl", "used"}
nlohmann::json to_json(const LinearFidelity& fidelity);

}  // namespace whence::flow
