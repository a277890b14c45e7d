#include "whence/explain/visualization/visualization.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <numbers>

#include "whence/core/error.h"
#include "whence/core/filters.h"
#include "whence/core/random.h"
#include "whence/nn/training/adam.h"
#include "whence/platform/interrupt.h"

namespace whence::visualization {
namespace {

void check_least(double value, double least, std::string_view name) {
  if (!(value >= least) || !std::isfinite(value))
    fail_usage("{} is {}, but must be {} or more", name, value, least);
}

void check(const Options& options) {
  const auto integer = [](std::int64_t value) { return static_cast<double>(value); };
  check_least(integer(options.steps), 1, "steps");
  check_least(integer(options.count), 1, "count");
  check_least(integer(options.batch), 1, "batch");
  check_least(integer(options.blur_every), 1, "blur_every");
  check_least(integer(options.starts), 0, "starts");
  for (const auto& [value, name] :
       std::initializer_list<std::pair<double, const char*>>{{options.learning_rate, "learning_rate"},
                                                             {options.total_variation, "total_variation"},
                                                             {options.gaussian_blur, "gaussian_blur"},
                                                             {options.bilateral_blur, "bilateral_blur"},
                                                             {options.diversity, "diversity"},
                                                             {options.decay, "decay"},
                                                             {options.robustness.jitter, "jitter"},
                                                             {options.robustness.rotation, "rotation"},
                                                             {options.robustness.scale, "scale"},
                                                             {options.robustness.colour, "colour"}})
    check_least(value, 0, name);
  if (!(options.bilateral_range > 0))
    fail_usage("bilateral_range is {}, but must be above 0", options.bilateral_range);
  if (!(options.code_radius > 0)) fail_usage("code_radius is {}, but must be above 0", options.code_radius);
  if (options.robustness.scale >= 1) fail_usage("scale is {}, but must be below 1", options.robustness.scale);
}

/// (C, H, W).
nn::Shape image_of(const models::Classifier& classifier, const nn::Shape& given) {
  nn::Shape shape = classifier.input_shape().empty() ? given : classifier.input_shape();
  if (shape.empty())
    fail_usage("the classifier does not tell the shape of its images; give it, such as 3x32x32");
  if (shape.size() != 3 || (shape[0] != 1 && shape[0] != 3))
    fail_usage("images are visualized, grey or coloured, but the classifier takes another shape");
  return shape;
}

/// The pictures of some units at once.
class Search {
 public:
  Search(const Response& response, const Options& options, const Canvas& canvas, const at::Tensor& units)
      : response_(response),
        options_(options),
        canvas_(canvas),
        unit_(units.repeat_interleave(options.count)),
        sign_(options.negative ? -1 : 1) {
    if (options.norms.defined()) norms_ = options.norms.index_select(0, unit_);
    if (options.spread.defined()) spread_ = options.spread.index_select(0, unit_);
  }

  at::Tensor picture(const at::Tensor& parameters) const {
    const at::Tensor image = canvas_.image(parameters);
    return norms_.defined() ? with_norm(image, norms_) : image;
  }
  /// What each image gets for its own unit.
  at::Tensor own(const at::Tensor& responses) const {
    return responses.gather(1, unit_.unsqueeze(1)).squeeze(1);
  }
  /// The responses to pictures as they are, the larger the better.
  at::Tensor worth(const at::Tensor& parameters) const { return sign_ * own(response_(picture(parameters))); }
  /// d(objective)/d(parameters).
  at::Tensor gradient(const at::Tensor& parameters, Generator& generator) const {
    const at::AutoGradMode with_gradients(true);
    const at::Tensor leaf = parameters.detach().clone().requires_grad_(true);
    const at::Tensor image = picture(leaf);
    const at::Tensor seen = disturbed(image, options_.robustness, generator);
    const at::Tensor value = objective(image, seen).sum();
    if (!value.requires_grad())
      fail(
          "the classifier gives no gradients, which visualization needs; export it as a whole, "
          "differentiable module");
    return torch::autograd::grad({value}, {leaf}).front();
  }
  /// A filter after every so many steps, and none at the end, which would blur what is drawn.
  at::Tensor filtered(const at::Tensor& parameters, std::int64_t step) const {
    if (step % options_.blur_every != 0 || 10 * step > 9 * options_.steps) return parameters;
    at::Tensor result = parameters;
    if (options_.gaussian_blur > 0) result = gaussian_blur(result, options_.gaussian_blur);
    if (options_.bilateral_blur > 0)
      result = bilateral_blur(result, options_.bilateral_blur, options_.bilateral_range);
    return result;
  }

 private:
  at::Tensor objective(const at::Tensor& image, const at::Tensor& seen) const {
    at::Tensor value;
    if (options_.diversity > 0 && options_.count > 1) {
      const Response::Seen both = response_.with_texture(seen);
      const at::Tensor& texture = both.texture;
      const at::Tensor alike =
          likeness(texture.view({-1, options_.count, texture.size(1), texture.size(2)})).view({-1});
      value = scaled(own(both.response)) - options_.diversity * alike;
    } else {
      value = scaled(own(response_(seen)));
    }
    if (options_.total_variation > 0) value = value - options_.total_variation * total_variation(image);
    return value;
  }
  at::Tensor scaled(const at::Tensor& values) const {
    return sign_ * (spread_.defined() ? values / spread_ : values);
  }

  const Response& response_;
  const Options& options_;
  const Canvas& canvas_;
  at::Tensor unit_;  ///< of each image
  double sign_;
  at::Tensor norms_, spread_;
};

/// For each picture the best of `starts` random parameters: some generators have codes where nothing has a gradient.
at::Tensor best_start(const Search& search, const Canvas& canvas, std::int64_t count, std::int64_t starts,
                      Generator& generator) {
  at::Tensor best = canvas.start(count, generator);
  if (starts == 1) return best;
  at::Tensor most = search.worth(best);
  for (std::int64_t i = 1; i < starts; ++i) {
    throw_if_interrupted();
    const at::Tensor other = canvas.start(count, generator), worth = search.worth(other);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(best.dim()), 1);
    rows.front() = count;
    best = at::where(worth.gt(most).view(rows), other, best);
    most = at::maximum(most, worth);
  }
  return best;
}

void check_finite(const at::Tensor& values, const Response& response) {
  if (!values.isfinite().all().item<bool>())
    fail(
        "the objective '{}' became NaN or infinity; check the classifier's weights, or lower the learning "
        "rate",
        name_of(response.objective().goal));
}

}  // namespace

Options Options::without_regularizers() const {
  Options control = *this;
  control.parametrization = "pixels";
  control.learning_rate = 0;
  control.norms = at::Tensor();
  control.total_variation = control.gaussian_blur = control.bilateral_blur = control.diversity = 0;
  control.robustness = {.jitter = 0, .rotation = 0, .scale = 0, .colour = 0};
  return control;
}

Visualizations visualize(const Response& response, const Options& options, const ImageStatistics* statistics,
                         const models::Decoder* decoder, const nn::Shape& image) {
  check(options);
  const models::Classifier& classifier = response.classifier();
  const Parametrization& chosen = parametrization(options.parametrization);
  const at::TensorOptions numbers = at::TensorOptions(at::kFloat).device(classifier.device());
  const Material material = {image_of(classifier, image), numbers, statistics, decoder, options.decay,
                             options.code_radius};
  const auto canvas = make_canvas(chosen, material);
  if (!canvas->is_pixels() && (options.gaussian_blur > 0 || options.bilateral_blur > 0))
    fail_usage("blurs are laid over pixels between steps, but the parametrization is '{}'; choose 'pixels'",
               chosen.name);
  const at::NoGradGuard no_grad;
  const double rate = options.learning_rate > 0 ? options.learning_rate : chosen.learning_rate;
  Generator starts = make_generator(options.seed, "visualization/start");
  Generator changes = make_generator(options.seed, "visualization/changes");
  const std::int64_t units = response.units(),
                     at_once = std::max<std::int64_t>(1, options.batch / options.count);
  std::vector<at::Tensor> images, responses, codes;
  for (std::int64_t first = 0; first < units; first += at_once) {
    const std::int64_t count = std::min(at_once, units - first);
    const Search search(response, options, *canvas,
                        at::arange(first, first + count, numbers.dtype(at::kLong)));
    at::Tensor parameters = best_start(search, *canvas, count * options.count,
                                       options.starts > 0 ? options.starts : chosen.starts, starts);
    nn::AdamSearch adam(parameters);
    for (std::int64_t step = 1; step <= options.steps; ++step) {
      throw_if_interrupted();
      const double part = static_cast<double>(step - 1) / static_cast<double>(options.steps);
      const double now = 0.5 * rate * (1 + std::cos(std::numbers::pi * part));
      parameters = adam.moved(parameters, search.gradient(parameters, changes), -now);  // upwards
      parameters = search.filtered(canvas->allowed(parameters), step);
      if (options.progress)
        options.progress({.stage = "visualization",
                          .step = first * options.steps + step * count,
                          .total = units * options.steps,
                          .values = {},
                          .unit = "steps"});
    }
    const at::Tensor drawn = search.picture(parameters);
    const at::Tensor values = search.own(response(drawn));
    check_finite(values, response);
    images.push_back(drawn.unflatten(0, {count, options.count}));
    responses.push_back(values.view({count, options.count}));
    if (const at::Tensor code = canvas->code(parameters); code.defined())
      codes.push_back(code.view({count, options.count, -1}));
  }
  return {at::cat(images), at::cat(responses), codes.empty() ? at::Tensor() : at::cat(codes)};
}

}  // namespace whence::visualization
