// What a classifier makes of images before it answers: the space in which sets of images are compared.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "whence/data/dataset.h"
#include "whence/models/roles.h"

namespace whence::models {

/// The outputs of one layer of a classifier. Maps are averaged over their positions, as Inception's are for the usual distance
/// (Heusel et al. 2017).
class Features {
 public:
  /// `layer`: "" is the last hidden one, which the last linear layer reads. The classifier must outlive this object. Errors
  /// (usage): a classifier whose layers are not known; no such layer (names the nearest); no linear layer to be found.
  explicit Features(const Classifier& classifier, std::string_view layer = {});

  /// Whether the classifier has a last hidden layer to take them from.
  static bool exist(const Classifier& classifier);

  /// (N, C, H, W) in [0, 1] -> (N, size), float64 on the processor. No gradients.
  at::Tensor of(const at::Tensor& images) const;
  /// Of all images of a set, some hundred at a time; hears an interrupt.
  at::Tensor of(const data::Dataset& images) const;
  /// Of what a decoder makes of codes, (N, D).
  at::Tensor of_decoded(const Decoder& decoder, const at::Tensor& codes) const;
  /// The same of `count` draws of N(0, I).
  at::Tensor of_samples(const Decoder& decoder, std::int64_t count, at::Generator& generator) const;

  const std::string& layer() const;
  std::int64_t size() const;

 private:
  const Classifier& classifier_;
  nn::LayerId layer_;
};

}  // namespace whence::models
