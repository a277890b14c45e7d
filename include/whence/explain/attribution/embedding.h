// Embedding explanations: a few dimensions that a small network learns from a layer, which keep the score and are told apart.
//
// An explanation network is attached to a layer with the activations Z (D values) and trained for one class (Qi, Khorram and Li 2017,
// "Embedding deep networks into visual explanations"):
//   e(Z), n dimensions of 0 or more;   p = v e + b, its score, v of 0 or more;   r(e), its reconstruction of Z
//   mean (p - f)^2 / var f                                          faithful
//   + w_r mean_k log(1 + q mean (r_k - Z_k)^2 / var Z_k) / log(1 + q)   sparse: what e leaves out costs at most w_r / D a value
//   + w_o mean of cos(e_k, e_l)^2 over k != l, over a batch         orthogonal (their pull-away term)
// As v may not fall below 0, which it may in theirs, every dimension speaks for the class. Excitation backprop from a dimension through both networks says where in the image it comes from.
#pragma once

#include <map>
#include <string>

#include "whence/explain/attribution/method.h"

namespace whence::attribution {

/// Of one class, for one classifier and layer.
struct ExplanationNetwork {
  /// (D) -> (dimensions (n), prediction (1), reconstruction (D)), frozen. It gets activations / scale; a prediction of u means
  /// mean + u deviation.
  nn::Network network;
  double scale, mean, deviation;
  at::Tensor
      weights;  ///< float32 (n): what one unit of a dimension adds to f. The dimension that adds most on average comes first
  at::Tensor order;    ///< int64 (n): their places in the network
  double unexplained;  ///< 1 - R^2 of f on the images it was trained on
  double alikeness;    ///< mean cos(e_k, e_l)^2 on them
};

struct EmbeddingExplanation {
  std::string layer;  ///< whose activations are embedded; "": what the last layer with weights reads
  std::int64_t dimensions = 4;
  std::int64_t shown = 0;  ///< 0: all dimensions in one map; k: the one that adds the k-th most
  std::int64_t steps = 300;
  double reconstruction = 0.1, orthogonality = 0.1;  ///< w_r and w_o
  /// By class. Method::run fills in what is missing: a run trains once for all its images.
  std::map<std::int64_t, std::shared_ptr<const ExplanationNetwork>> trained;
};

/// Trains the explanation networks of the targets' classes on Options::training, or on Options::references where there are none. Errors
/// (usage): no such layer (suggests the nearest), no images; fewer than two images; an interruption.
Options with_explanation_networks(const models::Classifier& classifier, const at::Tensor& target,
                                  const Options& options);

struct EmbeddingMaps {
  at::Tensor
      maps;  ///< (N, n, C, H, W): where each dimension comes from, 0 or more; sums to 1 but for what gets lost
  at::Tensor contributions;  ///< (N, n): what it adds to the explained score
  at::Tensor explained;      ///< (N): the score by the explanation network, b + the sum of the contributions
};
EmbeddingMaps embedding_maps(const Request& request, const Options& options);

/// The sum over dimensions of contribution x map, or one of its terms (`shown`). approximation_error: |explained score - f| as a share of
/// f's deviation over the training images.
Attribution embedding_explanation(const Request& request, const Options& options);

inline constexpr Option kEmbeddingOptions[] = {
    {"embedding_layer", TextOption{place<&EmbeddingExplanation::layer>}, "",
     "The layer whose activations are embedded; empty stands for what the last layer with weights reads."},
    {"embedding_dimensions", IntegerOption{place<&EmbeddingExplanation::dimensions>, 1, 1000}, "",
     "Dimensions of the embedding."},
    {"embedding_shown", IntegerOption{place<&EmbeddingExplanation::shown>, 0, 1000}, "",
     "The dimension whose map is shown: 1 adds most to the score; 0 shows the sum of all."},
    {"embedding_steps", IntegerOption{place<&EmbeddingExplanation::steps>, 1, 1'000'000}, "",
     "Steps of training, for each class that is explained."},
    {"embedding_reconstruction", NumberOption{place<&EmbeddingExplanation::reconstruction>, 0}, "",
     "Weight of the reconstruction of the layer."},
    {"embedding_orthogonality", NumberOption{place<&EmbeddingExplanation::orthogonality>, 0}, "",
     "Weight of the likeness of dimensions."},
};

}  // namespace whence::attribution
