// Is a factor brightness? The plainest cause there is, and one that no other measure would name.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "whence/data/dataset.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/models/roles.h"

namespace whence::flow {

/// Pearson's correlation of a latent factor with the mean intensity of an image (over pixels and channels); signed.
/// Anonymous 2021a (section 3.4) explains a classifier that sees the mean intensity alone, and finds brightness in alpha by eye.
struct FactorBrightness {
  double encoded = 0;  ///< of the posterior mean with the image it is read from, over the data set
  /// Of z_i with the decoded image, over z ~ N(0, I). The factors are independent there, so that this is the answer to
  /// do(z_i): its square is the share of the generated images' variance in brightness that is linear in z_i, and
  /// the squares of all factors add up to at most 1.
  double generated = 0;
};

/// One entry a latent; `draws` images are generated. What is constant correlates with nothing (0). Errors: no images;
/// encoder and decoder of different models; fewer than 2 draws (usage).
std::vector<FactorBrightness> factor_brightness(const models::Encoder& encoder,
                                                const models::Decoder& decoder, const data::Dataset& dataset,
                                                std::int64_t draws, at::Generator& generator);

/// {"draws", "factors": [{"name", "encoded", "generated"}]}; as many names as entries.
nlohmann::json to_json(const std::vector<FactorBrightness>& brightness, const std::vector<std::string>& names,
                       std::int64_t draws);

}  // namespace whence::flow
