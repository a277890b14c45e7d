#include "whence/explain/visualization/parametrization.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <numbers>

#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/platform/device.h"

namespace whence::visualization {
namespace {

/// Deviation of the noise that pixels start from, around middle grey.
constexpr double kPixelNoise = 0.1;
/// Of the logits of pixels that a spectrum starts from.
constexpr double kSpectrumNoise = 0.1;

at::Tensor normal(std::vector<std::int64_t> sizes, at::Generator& generator, const Material& material) {
  return at::randn(sizes, generator, draws_of(generator)).to(material.options);
}

class Pixels final : public Canvas {
 public:
  explicit Pixels(const Material& material) : material_(material) {}
  at::Tensor start(std::int64_t count, at::Generator& generator) const override {
    const nn::Shape& image = material_.image;
    return allowed(0.5 + kPixelNoise * normal({count, image[0], image[1], image[2]}, generator, material_));
  }
  at::Tensor image(const at::Tensor& parameters) const override { return parameters; }
  at::Tensor allowed(const at::Tensor& parameters) const override { return parameters.clamp(0, 1); }
  bool is_pixels() const override { return true; }

 private:
  Material material_;
};

/// sigmoid(colours (spectrum -> pixels)).
class Fourier final : public Canvas {
 public:
  explicit Fourier(const Material& material)
      : material_(material),
        scale_(natural_scale(material.image[1], material.image[2], material.decay, material.options)) {
    if (material.statistics == nullptr) return;
    const at::Tensor& colours = material.statistics->colours;
    colours_ = colours / colours.norm(2, 0).max();  // the strongest colour keeps its size
  }
  at::Tensor start(std::int64_t count, at::Generator& generator) const override {
    const nn::Shape& image = material_.image;
    return kSpectrumNoise * normal({count, image[0], image[1], image[2] / 2 + 1, 2}, generator, material_);
  }
  at::Tensor image(const at::Tensor& parameters) const override {
    const at::Tensor pixels = from_spectrum(parameters * scale_, material_.image[2]);
    return (colours_.defined() ? recoloured(pixels, colours_) : pixels).sigmoid();
  }

 private:
  Material material_;
  at::Tensor scale_, colours_;
};

class Phases final : public Canvas {
 public:
  explicit Phases(const Material& material) : material_(material) {}
  at::Tensor start(std::int64_t count, at::Generator& generator) const override {
    const nn::Shape& image = material_.image;
    return std::numbers::pi *
           (2 * at::rand({count, image[0], image[1], image[2] / 2 + 1}, generator, draws_of(generator)) - 1)
               .to(material_.options);
  }
  at::Tensor image(const at::Tensor& parameters) const override {
    const at::Tensor pixels = with_magnitude(material_.statistics->magnitude, parameters, material_.image[2]);
    return recoloured(pixels, material_.statistics->colours).clamp(0, 1);
  }

 private:
  Material material_;
};

class Code final : public Canvas {
 public:
  explicit Code(const Material& material) : material_(material) {}
  at::Tensor start(std::int64_t count, at::Generator& generator) const override {
    return code(normal({count, material_.decoder->latents()}, generator, material_));
  }
  at::Tensor image(const at::Tensor& parameters) const override {
    return material_.decoder->decode(code(parameters));
  }
  /// Nearest in the ball. Part of the map, not a correction after each step: Adam's steps are no gradients, and would end
  /// elsewhere on the sphere.
  at::Tensor code(const at::Tensor& parameters) const override {
    const double most = material_.code_radius * std::sqrt(static_cast<double>(parameters.size(1)));
    return parameters * (most / parameters.norm(2, 1, true).clamp_min(most));
  }

 private:
  Material material_;
};

template <class Own>
std::unique_ptr<Canvas> make(const Material& material) {
  return std::make_unique<Own>(material);
}

constexpr Parametrization kTable[] = {
    {"pixels", "pixels", "The pixels themselves.", "Erhan et al. 2009", Needs::nothing, 0.02, 1,
     make<Pixels>},
    {"fourier", "spectrum", "A spectrum whose frequencies and colours take equally large steps.",
     "Olah et al. 2017", Needs::nothing, 0.05, 1, make<Fourier>},
    {"maco", "phases", "The phases of a spectrum that keeps the mean magnitudes of the data.",
     "Fel et al. 2023", Needs::data, 0.1, 1, make<Phases>},
    {"prior", "learned prior", "The code of a generator, inside the ball where codes of the prior lie.",
     "Nguyen et al. 2016", Needs::decoder, 0.2, 64, make<Code>},
};

void check_decoder(const Material& material) {
  const at::NoGradGuard no_grad;
  const std::int64_t latents = material.decoder->latents();
  const at::Tensor one = material.decoder->decode(at::zeros({1, latents}, material.options));
  if (one.sizes().slice(1) != at::IntArrayRef(material.image))
    fail_usage("the decoder makes images of shape {}, but the classifier takes {}",
               fmt::join(one.sizes().slice(1), "x"), fmt::join(material.image, "x"));
}

}  // namespace

std::span<const Parametrization> parametrizations() { return kTable; }

const Parametrization& parametrization(std::string_view name) {
  for (const Parametrization& each : kTable)
    if (each.name == name) return each;
  std::vector<std::string_view> names;
  for (const Parametrization& each : kTable) names.push_back(each.name);
  fail_usage("there is no parametrization '{}'{}; they are {}", name, did_you_mean(name, names),
             fmt::join(names, ", "));
}

std::unique_ptr<Canvas> make_canvas(const Parametrization& parametrization, const Material& material) {
  if (parametrization.needs == Needs::data && material.statistics == nullptr)
    fail_usage("the parametrization '{}' needs images of the data, whose spectrum it keeps; give some",
               parametrization.name);
  if (parametrization.needs == Needs::decoder) {
    if (material.decoder == nullptr)
      fail_usage("the parametrization '{}' needs a generator; give a decoder, or leave '{}' out",
                 parametrization.name, parametrization.name);
    check_decoder(material);
  }
  return parametrization.make(material);
}

}  // namespace whence::visualization
