// An autoencoder as a model of the images: its codes, and what is known of them from images of the data.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "whence/core/progress.h"
#include "whence/models/roles.h"

namespace whence::counterfactual {

/// Codes of images of the data. A code is the mean of the encoder's posterior.
struct KnownCodes {
  at::Tensor codes;    ///< float32 (T, D)
  at::Tensor labels;   ///< int64 (T), the images' classes
  at::Tensor answers;  ///< int64 (T), the classifier's answers to the reconstructions
  at::Tensor leads;    ///< float32 (T): largest logit of a reconstruction less the second largest
  at::Tensor errors;   ///< float32 (T): squared error of a reconstruction, summed over its values
  /// float32 (M): mean and deviation of |code| over the images of each class (Parafita 2018, section 4.2); over all images where a
  /// class has fewer than two.
  at::Tensor norm_mean, norm_deviation;
  /// float32 (M): the median lead of the reconstructions of each class that are classified as it; infinite where none is.
  at::Tensor typical_lead;
};

/// Refers to its encoder and decoder.
struct ImageModel {
  const models::Encoder& encoder;
  const models::Decoder& decoder;
  KnownCodes known;
};

/// images: float32 (T, C, H, W) of the data; labels: int64 (T). Progress: stage "codes". Errors: numbers of latents that differ; images
/// of another size than the decoder's; NaN; an interruption; (usage) images of one class only.
KnownCodes known_codes(const models::Encoder& encoder, const models::Decoder& decoder,
                       const models::Classifier& classifier, const at::Tensor& images,
                       const at::Tensor& labels, const ProgressCallback& progress = {});

/// For a generator without data: `count` codes from N(0, I) are decoded, and the images stand for images of the data. Their labels are
/// the classifier's answers.
KnownCodes known_codes_of_draws(const models::Encoder& encoder, const models::Decoder& decoder,
                                const models::Classifier& classifier, std::int64_t count,
                                at::Generator& generator);

struct CodeOptions {
  /// Draws of the posterior from which an image's code is chosen.
  std::int64_t draws = 32;
  /// Where its mean keeps the two most probable classes, it is taken without any draw. Parafita 2018 (section 5.1) takes draws only.
  bool mean_first = true;
  std::int64_t batch = 512;  ///< images and draws that are decoded at once
  /// Iterations of Adam on that code (Zhu et al. 2016, "Generative visual manipulation on the natural image manifold"), which minimise
  /// |g(z) - x|^2 + prior_weight |z|^2 of each image by itself. The best iterate is kept: no error rises, and a class that was kept
  /// stays. For encoders that were trained for a frozen generator, whose codes are near but not best. 0: none.
  std::int64_t refinement = 0;
  double refinement_rate = 0.05;  ///< Adam's, at the start of a cosine decay
  /// The default lets a code of 100 latents from N(0, I) cost 5, less than what a reconstruction lacks.
  double prior_weight = 0.05;
};

struct ImageCodes {
  at::Tensor codes;    ///< float32 (n, D)
  at::Tensor answers;  ///< int64 (n, 2): the two most probable classes of the image, the first first
  at::Tensor kept;     ///< bool (n): the code's decoding has both
  at::Tensor errors;   ///< float32 (n): squared error of the decoding, summed over its values
};

/// All images see the same draws, so that a code does not depend on the images beside it. The code of each image: among draws of the posterior whose decoding has the image's two most probable classes, the one whose
/// decoding is nearest in L1 (Parafita 2018, sections 4.6 and 5.1). Without such a draw: the nearest that keeps the answer; without
/// one of these: the nearest. Errors: as known_codes.
ImageCodes codes_of_images(const models::Encoder& encoder, const models::Decoder& decoder,
                           const models::Classifier& classifier, const at::Tensor& images,
                           const CodeOptions& options, at::Generator& generator);

enum class PathKind { radial, linear };

/// Codes on the way from `first` to `second`, both (n, D), at the places t in [0, 1], (s): (s, n, D). radial: sqrt(1 - t) first +
/// sqrt(t) second, which keeps the mean squared norm of codes that are at right angles (Parafita 2018, section 4.3); linear: (1 - t)
/// first + t second.
at::Tensor code_path(const at::Tensor& first, const at::Tensor& second, const at::Tensor& places,
                     PathKind kind);

/// The images of codes with what a reconstruction left out: clamp(decode(codes) + residual, 0, 1), residual (n, C, H, W); decode(codes)
/// where the residual is undefined. At the code of an image, with residual = image - decode(code), that is the image itself.
/// Differentiable in the codes.
at::Tensor decode_with(const models::Decoder& decoder, const at::Tensor& codes, const at::Tensor& residual);

}  // namespace whence::counterfactual
