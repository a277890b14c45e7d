// The zoo by name: what recipes choose from.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "whence/models/zoo/zoo.h"

namespace whence::models {

struct ClassifierRequest {
  nn::Shape image = {1, 28, 28};
  std::int64_t classes = 2;
  std::int64_t width = 0;       ///< 0: the paper's
  bool channel_dropout = true;  ///< BaseCnnOptions::channel_dropout; only the base CNN has the choice
};

struct ClassifierArchitecture {
  std::string_view name;     ///< "base-cnn"
  std::string_view meaning;  ///< what it is and where it is from
  std::int64_t width;        ///< the paper's; 0 where it has none
  nn::Network (*make)(const ClassifierRequest& request);
};

struct AutoencoderArchitecture {
  std::string_view name;  ///< "cvae"
  std::string_view meaning;
  std::int64_t width;
  nn::Network (*encoder)(const AutoencoderShape& shape);
  nn::Network (*decoder)(const AutoencoderShape& shape);
};

std::span<const ClassifierArchitecture> classifier_architectures();
std::span<const AutoencoderArchitecture> autoencoder_architectures();

}  // namespace whence::models
