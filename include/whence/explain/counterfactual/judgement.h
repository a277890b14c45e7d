// Measures of changed images, whoever changed them: morphs, counterfactuals, adversarial pixels.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "whence/data/dataset.h"
#include "whence/explain/counterfactual/image_model.h"

namespace whence::counterfactual {

/// A linear autoencoder of each class and one of all: principal components (flow::fit_linear), in closed form. x (n, values).
struct ClassAutoencoders {
  struct Linear {
    at::Tensor mean;        ///< float32 (D)
    at::Tensor directions;  ///< float32 (D, k), orthonormal
    at::Tensor reconstruct(const at::Tensor& x) const;
  };
  std::vector<Linear> of_class;
  Linear of_all;
};

/// Of at most `images` training images a class, with at most `components` directions each.
ClassAutoencoders fit_class_autoencoders(const data::Dataset& train, std::int64_t components,
                                         std::int64_t images, at::Generator& generator);

/// Images of the data that stand for themselves where there is no autoencoder: float32 (T, C, H, W), int64 (T).
struct KnownImages {
  at::Tensor images, labels;
};

/// What judges the changes. What it points to must outlive it.
struct Judges {
  const ImageModel* model = nullptr;                ///< none: no re-encoding, and neighbours among `images`
  const models::Classifier* independent = nullptr;  ///< trained by itself; none: no transfer
  const ClassAutoencoders* autoencoders = nullptr;  ///< none: no IM1 and IM2
  std::int64_t neighbours = 5;
  const KnownImages* images = nullptr;  ///< without `model`; none: no neighbours
};

/// One row an image.
struct Judgement {
  at::Tensor transfers;  ///< bool (n): the independent classifier gives the changed image the class `to`
  at::Tensor
      neighbours;  ///< float32 (n): share of the nearest reconstructions of images of the data (Judges::images: of the images), in L2, whose label is `to`
  at::Tensor reencoding;     ///< float32 (n): squared error between the changed image and its reconstruction
  at::Tensor distance;       ///< float32 (n): |after - before| in L2
  at::Tensor interpretable;  ///< IM1, float32 (n)
  at::Tensor likeness;       ///< IM2, float32 (n)
};

/// before, after: (n, C, H, W); from, to: int64 (n). Undefined where there is no judge. With AE_i, an autoencoder of class i, and AE, one
/// of all classes (Van Looveren and Klaise 2019, equations 8 and 9):
///   IM1 = |x - AE_to(x)|^2 / (|x - AE_from(x)|^2 + e): below 1, x lies nearer to the images of its new class than to the old one's;
///   IM2 = |AE_to(x) - AE(x)|^2 / (|x|_1 + e): small, the new class describes x as well as all classes together do.
/// whence's autoencoders are linear; the paper's are networks. e = 1e-6.
Judgement judge(const Judges& judges, const at::Tensor& before, const at::Tensor& after,
                const at::Tensor& from, const at::Tensor& to);

}  // namespace whence::counterfactual
