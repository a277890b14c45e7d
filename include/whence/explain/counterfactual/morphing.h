// Semantic morphing: the image that another class would have, found in the codes of an autoencoder (Parafita 2018, section 4.5).
//
// For a decoder g, a classifier with logits f, an image's class s ("self") and another class o:
//   published  minimise -f_o(g(c)) + w (|c| - mu_o)^2 from the image's code; mu_o: mean norm of the codes of class o. The second
//              term is brought to the size of the first: it is multiplied with the ratio of the running means of their absolute
//              values. Adam.
//   anchored   minimise relu(9 - lead_o(g(c))) + 0.05 relu(||c| - mu_o| / sigma_o - 1)^2 from a point on the radial path (halfway) to the code
//              of the training image of class o that is nearest by cosine and whose reconstruction is classified right. lead_o:
//              f_o less the largest other logit; sigma_o: deviation of the norms. Adam with a cosine decay. An image that fails
//              starts again from the next nearest, with twice the rate and twice the iterations.
// Both stop an image when the entropy of softmax(f_s, f_o), in bits, is below a threshold and the probability of o among all classes
// is above one half. Images are independent of each other, and a finished one leaves the batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

#include "whence/core/progress.h"
#include "whence/explain/counterfactual/image_model.h"

namespace whence::counterfactual {

enum class MorphMethod { anchored, published };
std::string_view name_of(MorphMethod method);

struct AnchoredSearch {
  double lead = 9;                ///< of the other class, in logits, beyond which more is not asked for
  double norm_weight = 0.05;      ///< of the penalty on the norm
  double learning_rate = 3e-2;    ///< at the start of the cosine decay
  std::int64_t iterations = 150;  ///< from one start
  std::int64_t anchors = 3;       ///< training codes that are started from at most
  std::int64_t first_anchor = 0;  ///< the nearest is 0; others give other morphs
  double start = 0.5;             ///< on the path from the image's own code (0) to the training image's (1)
};
struct PublishedSearch {
  double likelihood_weight = 0.1;  ///< w: 0.1 for MNIST, 10 for notMNIST and Fashion-MNIST
  double learning_rate = 1e-3;
  std::int64_t iterations = 5000;
};

/// How morphs are made, from the codes of the images on.
struct MorphOptions {
  MorphMethod method = MorphMethod::anchored;
  double entropy = 0.01;  ///< bits, below which a morph is finished
  /// Where the rule is not met, the surest code on the way counts if its lead reaches the median lead of the class's own training
  /// images (KnownCodes::typical_lead); else the training code that is nearest by cosine stands for the morph. false: such images fail.
  bool fallback = true;
  std::int64_t batch = 256;  ///< images at once
  AnchoredSearch anchored;
  PublishedSearch published;
  std::int64_t draws = 32;      ///< of the posterior, from which an image's code is chosen (CodeOptions)
  bool residual = false;        ///< morphs keep what the reconstruction of their image lacks
  std::int64_t refinement = 0;  ///< iterations of descent on an image's code (CodeOptions)
};

/// Where the morphs of images start.
struct MorphStarts {
  ImageCodes codes;
  at::Tensor residual;  ///< (n, C, H, W), image less reconstruction; undefined without MorphOptions::residual
};
/// images: float32 (n, C, H, W). The published method takes draws of the posterior only. All that make morphs of an image begin here, so that
/// they make the same one. Errors: those of codes_of_images.
MorphStarts starts_of(const ImageModel& model, const models::Classifier& classifier, const at::Tensor& images,
                      const MorphOptions& options, std::uint64_t seed);

/// How the search for a morph ended.
enum class Ending : std::int64_t {
  finished,       ///< by the stopping rule
  as_sure,        ///< as sure as a typical training image of the class
  training_code,  ///< the nearest training code of the class, itself
  failed
};
std::string_view name_of(Ending ending);

/// One row an image. A failed one keeps its code.
struct Morphs {
  at::Tensor codes;        ///< float32 (n, D), of the images
  at::Tensor moved;        ///< float32 (n, D), of the morphs
  at::Tensor from, to;     ///< int64 (n)
  at::Tensor endings;      ///< int64 (n), Ending
  at::Tensor iterations;   ///< int64 (n), from all starts
  at::Tensor entropy;      ///< float32 (n), bits, of the morph's two classes
  at::Tensor probability;  ///< float32 (n), of `to` for the morph
  /// (n, C, H, W), what is added to the decoded morph; 0 for a training image that stands for a morph. Undefined without residuals.
  at::Tensor residual;
  double seconds = 0;  ///< for all of them

  at::Tensor ended(Ending ending) const;  ///< bool (n)
  at::Tensor found() const;               ///< bool (n): not failed
};

/// codes (n, D); from, to: int64 (n), classes. `residual` (n, C, H, W), where it is given, is carried along: every image of the search is
/// decode_with(code, residual), so that an image that the decoder cannot quite make keeps what its reconstruction lacks.
/// Deterministic. Progress: stage "morphs", one step an image. Errors (usage): a class that
/// does not exist; a target that is the image's own class; an option out of its range. Errors: NaN; an interruption.
Morphs morph(const ImageModel& model, const models::Classifier& classifier, const at::Tensor& codes,
             const at::Tensor& from, const at::Tensor& to, const MorphOptions& options,
             const ProgressCallback& progress = {}, const at::Tensor& residual = {});

/// Rows of the training codes of class `to` whose reconstruction is classified as it, by falling cosine with each code: int64 (n, k), k
/// at most `count`. For all codes one class. Empty (n, 0) where there is none.
at::Tensor nearest_known(const KnownCodes& known, const at::Tensor& codes, std::int64_t to,
                         std::int64_t count);
/// The same with a class of its own for each code, to: int64 (n). int64 (n, count); -1 where there are fewer.
at::Tensor nearest_of_each(const KnownCodes& known, const at::Tensor& codes, const at::Tensor& to,
                           std::int64_t count);

/// Entropy of softmax(f_from, f_to), bits, (n). Logits (n, M).
at::Tensor two_class_entropy(const at::Tensor& logits, const at::Tensor& from, const at::Tensor& to);
/// f_to less the largest other logit, (n). Differentiable.
at::Tensor lead_of(const at::Tensor& logits, const at::Tensor& to);
/// Whether the stopping rule holds, bool (n).
at::Tensor is_finished(const at::Tensor& logits, const at::Tensor& from, const at::Tensor& to,
                       double entropy);

}  // namespace whence::counterfactual
