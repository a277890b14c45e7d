// Image translation between classes: one network changes an image of one class into an image of another and keeps the rest, with no codes in between.
//
//   T(x, w) = (1 - m) x + m c,   (c, m) = network(x, w)
// x (N, C, H, W) in [0, 1]; w (N, M), the weights of the classes that are asked for; c, colours like an image; m (N, 1, H, W) in [0, 1], the mask:
// where the change is (Pumarola et al. 2018, GANimation). Weights are one-hot for a class; (1 - t) e_s + t e_o, t from 0 to 1, is a path of images from
// class s to class o.
#pragma once

#include "whence/models/roles.h"
#include "whence/nn/graph/network.h"

namespace whence::models {

struct Translation {
  at::Tensor images;   ///< (N, C, H, W)
  at::Tensor mask;     ///< (N, 1, H, W)
  at::Tensor colours;  ///< (N, C, H, W)
};

/// T(x, w) by a network of the shape of translator_network (zoo.h). Differentiable in x, w and the network's parameters. Error: shapes that
/// do not fit the network.
Translation translate(const nn::Network& network, const at::Tensor& x, const at::Tensor& weights,
                      const nn::Execution& execution = {});

/// labels: int64 (n) -> float32 (n, classes), one-hot, where the labels lie.
at::Tensor class_weights(const at::Tensor& labels, std::int64_t classes);

/// A trained translator: frozen, in evaluation mode, so that an image's translation depends on no other image.
class Translator {
 public:
  /// classes: M; the network has as many more input channels than the image has.
  Translator(const nn::Network& network, std::int64_t classes, Precision precision = Precision::float32);

  std::int64_t classes() const { return classes_; }
  nn::Shape image_shape() const;
  at::Device device() const { return network_.device(); }

  Translation translate(const at::Tensor& x, const at::Tensor& weights) const;
  /// To classes: labels int64 (N).
  Translation translate_to(const at::Tensor& x, const at::Tensor& labels) const;
  /// T(x, (1 - t) e_from + t e_to) at the places t, (s): images (s, N, C, H, W). from, to: int64 (N).
  at::Tensor path(const at::Tensor& x, const at::Tensor& from, const at::Tensor& to,
                  const at::Tensor& places) const;
  /// Errors (usage): images x of another shape than the translator's; a classifier of another number of classes.
  void check_fit(const at::Tensor& x, const Classifier& classifier) const;

 private:
  nn::Network network_;
  std::int64_t classes_;
  Precision precision_;
};

}  // namespace whence::models
