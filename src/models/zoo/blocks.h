// What several architectures consist of, and the checks that all make.
#pragma once

#include <string>
#include <string_view>

#include "whence/models/zoo/zoo.h"

namespace whence::models {

/// The sides an architecture takes: least, least + step, least + 2 step, ...
struct Sides {
  std::int64_t least = 1, step = 1;
};

/// The width to build with: the asked one, or `own` when none was asked. Errors (usage) as zoo.h says; `who` begins
/// the sentence ("the small ResNet").
std::int64_t checked_width(std::string_view who, const ClassifierShape& shape, Sides sides, std::int64_t own);
std::int64_t checked_width(std::string_view who, const AutoencoderShape& shape, Sides sides,
                           std::int64_t own);

/// "name", "name_norm", "name_relu" behind the layer `input`, or behind the last one. Returns "name_relu".
std::string add_convolution(nn::Network& network, const std::string& name, nn::Conv2d convolution,
                            const std::string& input = {});

/// Linear without bias, BN, ReLU, Dropout (unless 0): Parafita's (2018) hidden layer.
void add_hidden(nn::Network& network, const std::string& name, std::int64_t features, double dropout = 0.5);

}  // namespace whence::models
