// What an image is made from while it is changed: its pixels, a spectrum, phases alone, or the code of a generator.
#pragma once

#include <ATen/core/Generator.h>

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "whence/explain/visualization/spectrum.h"
#include "whence/models/roles.h"

namespace whence::visualization {

/// What parametrizations are made from.
struct Material {
  nn::Shape image;                              ///< (C, H, W)
  at::TensorOptions options;                    ///< of the images
  const ImageStatistics* statistics = nullptr;  ///< none: no data
  const models::Decoder* decoder = nullptr;
  double decay = 1;  ///< of natural_scale
  double code_radius =
      1;  ///< largest norm of a code, in units of sqrt(D), the typical norm of a code drawn from N(0, 1)
};

/// The map from parameters to images of one kind.
class Canvas {
 public:
  virtual ~Canvas() = default;
  /// Random parameters to begin with, (count, ...).
  virtual at::Tensor start(std::int64_t count, at::Generator& generator) const = 0;
  /// (N, C, H, W) in [0, 1]. Differentiable.
  virtual at::Tensor image(const at::Tensor& parameters) const = 0;
  /// The nearest parameters that are allowed; taken after each step.
  virtual at::Tensor allowed(const at::Tensor& parameters) const { return parameters; }
  /// The code (N, D) that the image is decoded from; undefined where it is not decoded.
  virtual at::Tensor code(const at::Tensor&) const { return {}; }
  /// Whether the parameters are the pixels, which filters can be laid over.
  virtual bool is_pixels() const { return false; }
};

enum class Needs { nothing, data, decoder };

struct Parametrization {
  std::string_view name;     ///< "fourier"
  std::string_view title;    ///< "spectrum"
  std::string_view meaning;  ///< one sentence
  std::string_view source;   ///< author and year
  Needs needs;
  double learning_rate;  ///< of Adam, where none is chosen
  std::int64_t starts;   ///< that are tried for each picture, where nothing is chosen
  std::unique_ptr<Canvas> (*make)(const Material& material);
};

std::span<const Parametrization> parametrizations();
/// Error (usage): no such parametrization; names the nearest.
const Parametrization& parametrization(std::string_view name);
/// Error (usage): what it needs is missing; a decoder of images of another shape.
std::unique_ptr<Canvas> make_canvas(const Parametrization& parametrization, const Material& material);

}  // namespace whence::visualization
