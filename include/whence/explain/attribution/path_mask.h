// Path-mask attribution (Parafita 2018, section 4.6): which pixels' change, on a path through images of the data, carries the class.
// docs/path-mask.md derives the closed form.
//
// A path x_1, ..., x_n leads from the image's morph, which is of another class, to the image's reconstruction (with the residual carried along, to the image
// itself). A translator (translator.h) makes such a path, too, from the image's translation to the image. A mask m in [0, 1]
// changes every image of the path as the path does, at some pixels only: x_i + m (x_(i+1) - x_i). Its gain is
//   J(m) = sum over i < n of f(x_i + m (x_(i+1) - x_i)) - f(x_i),   f: the probability of the image's class.
// Shapes: paths (N, n, C, H, W); masks (N, 1, H, W), one value for all channels of a pixel.
#pragma once

#include "whence/explain/attribution/method.h"
#include "whence/explain/counterfactual/morphing.h"

namespace whence::attribution {

/// How an image's path is found; of both methods.
struct ImagePath {
  std::int64_t steps = 50;      ///< images of the path, n
  std::string kind = "radial";  ///< "radial" or "linear" in codes, or "straight" in pixels
  std::int64_t morphs = 1;      ///< with different starts, whose maps are averaged
  std::int64_t iterations = 0;  ///< of the search for a morph, from one start; 0: those of `morphing`
  /// "reconstruction", or "image": every image of the path then has what the image's reconstruction lacks. With morphing.residual, and
  /// by translation, the path ends at the image in any case.
  std::string end = "reconstruction";
  /// What the path leads from: "morph"; "nearest", the training image of the other class whose code has the largest cosine with the
  /// image's code (Parafita 2018, section 4.3); or "translation", the image translated to the other class (translated_paths).
  std::string baseline = "morph";
  counterfactual::MorphOptions morphing = {};  ///< how the morph is made; Options::batch stands for its batch
};
struct PathMask {
  /// "": masks are over pixels. Else over the places of this layer of the classifier, as its maps see the path; enlarged bilinearly to the
  /// image. `blur` then counts places. Closed form only.
  std::string layer = "";
  std::string solver = "closed";  ///< "closed", the closed form, or "published", the thesis' search
  double area = 0.05;             ///< mean of the mask over the pixels (closed)
  double blur = 1;                ///< deviation of the Gaussian blur, pixels
  double tolerance = 0.1;         ///< approximation error beyond which the mask is optimised instead (closed)
  std::int64_t iterations = 3000;  ///< of Adam (published)
  double rate = 1e-3;              ///< of Adam (published)
  double weight = 1;               ///< of the mask's L1 norm, which is normalised (published)
};

/// Sum over the path of (x_(i+1) - x_i) times the mean of the gradients of f at both: like an image, (N, C, H, W). Its values sum to
/// f(x_n) - f(x_1) but for the trapezoid rule's error.
at::Tensor gradients_along(const models::Classifier& classifier, const at::Tensor& paths,
                           const at::Tensor& target, Score score, std::int64_t batch = kRowsAtOnce);

/// f(x_i + m (x_(i+1) - x_i)) - f(x_i) of the target's probability for each step, (N, n - 1); its sum is the gain.
at::Tensor mask_gains(const models::Classifier& classifier, const at::Tensor& paths, const at::Tensor& target,
                      const at::Tensor& masks, std::int64_t batch = kRowsAtOnce);

/// The Gaussian blur of maps (N, 1, H, W), cut off at one deviation (Parafita's own kernel: 3 x 3 for a deviation of 1); zeros outside.
at::Tensor blurred(const at::Tensor& maps, double deviation);

/// The mask that maximises the linear part of J among blurred masks of the given area: blur(1[blur(a) / blur(1) > threshold]), a: the
/// gradients along the path, summed over channels, (N, 1, H, W). Pixels that lower the gain stay out, so the area may be smaller.
struct ClosedForm {
  at::Tensor masks;       ///< (N, 1, H, W)
  at::Tensor thresholds;  ///< (N), the L1 weight whose optimum it is
};
ClosedForm closed_form_masks(const at::Tensor& gradients, double area, double blur);

struct MaskOptimization {
  std::int64_t iterations = 3000;
  double learning_rate = 1e-3;
  double blur = 1;
  double weight = 1;  ///< of the mask's L1 norm
  /// As published, the L1 norm is brought to the size of the gain by the ratio of their running means, with which the optimum moves as
  /// long as the optimization runs. false: the weight is that of J(m) - weight * sum(m).
  bool normalised = true;
  std::uint64_t seed = 0;    ///< of the start, N(0, 1) before the sigmoid; the same for all images
  std::int64_t batch = 512;  ///< images that go through the classifier at once
};
struct OptimisedMasks {
  at::Tensor masks;  ///< (N, 1, H, W)
  at::Tensor
      losses;  ///< (N, iterations): weight * L1 - gain before each iteration, with the weight of that iteration
};
/// m = blur(sigmoid(v)), v by Adam (Parafita 2018, section 4.6, and his code).
OptimisedMasks optimised_masks(const models::Classifier& classifier, const at::Tensor& paths,
                               const at::Tensor& target, const MaskOptimization& options);

/// Whether the path methods take their paths from Options::translator, so that they need no autoencoder.
bool by_translation(const Options& options);

/// Paths of `steps` images from T(x, e_from) to x: (N, steps, C, H, W). At even places t from 0 to 1,
///   x_t = T(x, (1 - t) e_from + t e_own) + t (x - T(x, e_own)),   clamped to [0, 1].
/// T(x, e_own) is not quite x; the second term lets the path end at x itself, and leaves the translation as it is.
/// from, own: int64 (N). straight: (1 - t) T(x, e_from) + t x. Error (usage): a translator of images of another shape, or of other classes
/// than the classifier's.
at::Tensor translated_paths(const models::Translator& translator, const models::Classifier& classifier,
                            const at::Tensor& x, const at::Tensor& from, const at::Tensor& own,
                            std::int64_t steps, bool straight = false);

/// The paths of images, by semantic morphing or by translation. `other`: where the target is the classifier's answer, its second most probable class; else
/// the target, and the path leads from it to the answer.
struct ImagePaths {
  at::Tensor images;         ///< (N, n, C, H, W)
  at::Tensor from, answers;  ///< int64 (N): classes at the path's start and end
  bool whole = false;        ///< they end at the images themselves, not at reconstructions
};
/// `morph`: 0 starts the morphs from the nearest training code, 1 from the next, ... Where no training image of the other class is classified
/// right, a path from the nearest one stays at its image. Errors (usage): an option that is none of its names; a second morph of the
/// published search, which has one start; a second one of a translator, which has one translation to each class; no translator
/// where one is asked for; those of translated_paths.
ImagePaths paths_of(const Request& request, const Options& options, std::int64_t morph);

/// The masks of paths, by PathMask::solver.
struct PathMasks {
  at::Tensor masks;  ///< (N, 1, H, W)
  at::Tensor
      approximation_error;  ///< float64 (N): |linear gain - gain| / |gain| of the closed form; undefined: published
  at::Tensor losses;        ///< (N, iterations), as OptimisedMasks has them; undefined: closed
};
/// Errors (usage): no such solver; of PathMask::layer, no such layer, one without height and width, the published solver. An error that names the
/// missing operation where the classifier's layers are not known.
PathMasks masks_of_paths(const models::Classifier& classifier, const ImagePaths& paths,
                         const Options& options);

/// The mean over morphs of gradients_along. Complete towards f(x_n) - f(x_1). With several morphs the standard error says how far
/// other morphs would change it.
Attribution path_integrated_gradients(const Request& request, const Options& options);

/// The mean over morphs of masks_of_paths: the closed form, or the optimised mask where its approximation error is above the tolerance, or
/// the published search. It always explains probabilities. approximation_error: the mean over morphs.
Attribution path_mask(const Request& request, const Options& options);

inline constexpr Option kPathOptions[] = {
    {"path_steps", IntegerOption{place<&ImagePath::steps>, 2, 10'000}, "images", "Images of the path."},
    {"path_iterations", IntegerOption{place<&ImagePath::iterations>, 0, 1'000'000}, "",
     "Iterations of the search for a morph from one start, at most; 0: as many as [morphing] says."},
    {"path_kind", TextOption{place<&ImagePath::kind>}, "radial|linear|straight",
     "The path from the morph to the image: radial or linear in the codes, or straight in the pixels."},
    {"path_morphs", IntegerOption{place<&ImagePath::morphs>, 1, 100}, "morphs",
     "Morphs with different starts, over which a map is averaged; two or more give its spread."},
    {"path_end", TextOption{place<&ImagePath::end>}, "reconstruction|image",
     "Where the path ends: at the image's reconstruction, or at the image itself; then every image of the "
     "path "
     "has what the reconstruction lacks. With morphing.residual it always ends at the image."},
    {"path_baseline", TextOption{place<&ImagePath::baseline>}, "morph|nearest|translation",
     "What the path leads from: the image's morph, made as [morphing] says; the training image of the other "
     "class whose code has the largest cosine with the image's code; or the image's translation to the other "
     "class by the run's translator, which is quick and ends at the image itself."},
};
inline constexpr Option kPathMaskOptions[] = {
    kPathOptions[0],
    kPathOptions[1],
    kPathOptions[2],
    kPathOptions[3],
    kPathOptions[4],
    kPathOptions[5],
    {"path_mask_solver", TextOption{place<&PathMask::solver>}, "closed|published",
     "How the mask is found: the closed form of a given area, or the thesis' search by Adam, whose L1 norm "
     "is brought to the size of the gain."},
    {"path_mask_layer", TextOption{place<&PathMask::layer>}, "LAYER",
     "A layer of the classifier over whose places the mask is laid, as its maps see the path; empty: over "
     "the pixels."},
    {"path_mask_area", NumberOption{place<&PathMask::area>, 0.001, 1}, "share of the pixels",
     "Area of the mask: its mean over the pixels (closed)."},
    {"path_mask_blur", NumberOption{place<&PathMask::blur>, 0.1, 100}, "pixels",
     "Deviation of the mask's Gaussian blur."},
    {"path_mask_tolerance", NumberOption{place<&PathMask::tolerance>, 0}, "",
     "Relative error of the linear approximation beyond which the mask is optimised instead of taken from "
     "the closed form (closed)."},
    {"path_mask_iterations", IntegerOption{place<&PathMask::iterations>, 1, 1'000'000}, "",
     "Iterations of the search (published)."},
    {"path_mask_rate", NumberOption{place<&PathMask::rate>, 1e-9, 100}, "", "Adam's (published)."},
    {"path_mask_weight", NumberOption{place<&PathMask::weight>, 0}, "",
     "Weight of the mask's L1 norm (published)."},
};

}  // namespace whence::attribution
