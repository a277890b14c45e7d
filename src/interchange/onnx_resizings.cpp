// Images of another size. Each row and column of the result is a sum of the input's rows and columns with fixed weights.
#include <ATen/ops/zeros.h>

#include "interchange/onnx_operators.h"

namespace whence::interchange {
namespace {

using Values = std::vector<OnnxValue>;

/// How the result is computed, in ONNX's words.
struct Resizing {
  std::string mode, coordinates, nearest;
  double cubic = -0.75;
  bool exclude_outside = false;
};

/// One dimension: `scale` is about to / from.
struct Stretch {
  std::int64_t from, to;
  double scale;
};

/// Where the result's pixel `i` lies in the input.
double place_of_pixel(const OnnxCall& call, const Resizing& how, const Stretch& s, std::int64_t i) {
  const auto x = static_cast<double>(i), from = static_cast<double>(s.from), to = static_cast<double>(s.to);
  if (how.coordinates == "asymmetric") return x / s.scale;
  if (how.coordinates == "align_corners") return s.to == 1 ? 0 : x * (from - 1) / (to - 1);
  if (how.coordinates == "pytorch_half_pixel" && s.to == 1) return 0;
  if (how.coordinates == "tf_half_pixel_for_nn") return (x + 0.5) / s.scale;
  if (how.coordinates == "half_pixel_symmetric") {
    const double offset = from / 2 * (1 - to / (s.scale * from));
    return offset + (x + 0.5) / s.scale - 0.5;
  }
  if (how.coordinates == "half_pixel" || how.coordinates == "pytorch_half_pixel")
    return (x + 0.5) / s.scale - 0.5;
  call.problem("places pixels by '{}', which whence does not read", how.coordinates);
}

std::int64_t nearest_pixel(const Resizing& how, const Stretch& s, double place) {
  double pixel = std::ceil(place - 0.5);  // round_prefer_floor
  if (how.nearest == "round_prefer_ceil") pixel = std::floor(place + 0.5);
  if (how.nearest == "floor") pixel = std::floor(place);
  if (how.nearest == "ceil") pixel = std::ceil(place);
  return std::clamp(static_cast<std::int64_t>(pixel), std::int64_t{0}, s.from - 1);
}

/// The weight of a pixel at that distance (Keys 1981).
double cubic_weight(double distance, double a) {
  const double d = std::abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// (to, from)
at::Tensor weights_of(const OnnxCall& call, const Resizing& how, const Stretch& s) {
  at::Tensor weights = at::zeros({s.to, s.from}, at::TensorOptions(at::kDouble));
  auto* data = weights.data_ptr<double>();
  for (std::int64_t i = 0; i < s.to; ++i) {
    double* row = data + i * s.from;
    double place = place_of_pixel(call, how, s, i);
    if (how.mode == "linear") place = std::clamp(place, 0.0, static_cast<double>(s.from - 1));
    const auto left = static_cast<std::int64_t>(std::floor(place));
    double total = 0;
    for (std::int64_t pixel = left - 1; pixel <= left + 2; ++pixel) {
      const double distance = place - static_cast<double>(pixel);
      const double weight =
          how.mode == "cubic" ? cubic_weight(distance, how.cubic) : std::max(0.0, 1 - std::abs(distance));
      const bool outside = pixel < 0 || pixel >= s.from;
      if (outside && how.exclude_outside) continue;
      row[std::clamp(pixel, std::int64_t{0}, s.from - 1)] += weight;
      total += weight;
    }
    for (std::int64_t pixel = 0; how.exclude_outside && pixel < s.from; ++pixel) row[pixel] /= total;
  }
  return weights.to(at::kFloat);
}

OnnxValue stretched(OnnxCall& call, const OnnxValue& x, std::size_t axis, const Resizing& how,
                    const Stretch& s) {
  const auto dimension = static_cast<std::int64_t>(axis);
  OnnxSizes sizes = x.sizes;
  sizes[axis] = {s.to};
  call.emitter().spend(how.mode == "nearest" ? s.to : 3 * s.to * s.from);
  if (how.mode == "nearest") {
    std::vector<std::int64_t> pixels;
    for (std::int64_t i = 0; i < s.to; ++i)
      pixels.push_back(nearest_pixel(how, s, place_of_pixel(call, how, s, i)));
    const OnnxValue index = call.constant_of(at::tensor(pixels, at::kLong));
    return call.emit("aten::index_select", {x, dimension, index}, sizes);
  }
  const auto swapped = [&](const OnnxValue& value) {
    OnnxSizes turned = value.sizes;
    const OnnxSize last = turned.at(turned.size() - 1);
    turned.at(turned.size() - 1) = turned.at(axis);
    turned.at(axis) = last;
    return call.emit("aten::transpose.int", {value, dimension, -1}, turned);
  };
  const OnnxValue turned = swapped(x);
  OnnxSizes wide = turned.sizes;
  wide.back() = {s.to};
  const OnnxValue weights = call.constant_of(weights_of(call, how, s));
  return swapped(call.emit("aten::linear", {turned, weights, std::nullopt}, wide));
}

/// Whether each pixel becomes factor x factor equal ones.
bool repeats_pixels(const OnnxCall& call, const Resizing& how, const Stretch& s) {
  if (how.mode != "nearest" || s.to % s.from != 0) return false;
  for (std::int64_t i = 0; i < s.to; ++i)
    if (nearest_pixel(how, s, place_of_pixel(call, how, s, i)) != i / (s.to / s.from)) return false;
  return true;
}

Stretch stretch_of(const OnnxCall& call, const OnnxSize& size, std::optional<double> scale,
                   std::optional<OnnxSize> wanted, std::optional<std::int64_t> fixed_batch) {
  if (size.batch) {
    const bool same = scale ? *scale == 1 : *wanted == size || *wanted == OnnxSize{fixed_batch.value_or(0)};
    if (!same) call.problem("changes the number of samples");
    return {1, 1, 1};
  }
  const auto from = static_cast<double>(size.count);
  if (wanted) {
    if (wanted->batch || wanted->count < 1) call.problem("makes {} pixels", wanted->count);
    return {size.count, wanted->count, static_cast<double>(wanted->count) / from};
  }
  constexpr double most = 1 << 16;
  if (!(*scale > 0 && *scale * from < most && *scale * from >= 1))
    call.problem("stretches {} by {}", size.count, *scale);
  return {size.count, static_cast<std::int64_t>(std::floor(from * *scale)), *scale};
}

Values resized(OnnxCall& call, const Resizing& how, std::size_t scales_at, std::size_t sizes_at) {
  OnnxValue x = call.input(0);
  std::vector<std::int64_t> axes = call.integers("axes");
  if (axes.empty())
    for (std::size_t i = 0; i < x.rank(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  const bool by_scale = call.has(scales_at) && call.input(scales_at).sizes != OnnxSizes{{0}};
  const at::Tensor scales = by_scale ? call.constant(scales_at).to(at::kDouble).reshape({-1}) : at::Tensor();
  const OnnxSizes wanted = by_scale ? OnnxSizes() : call.numbers(sizes_at);
  if ((by_scale ? static_cast<std::size_t>(scales.numel()) : wanted.size()) != axes.size())
    call.problem("does not say how much it stretches each of {} dimensions", axes.size());
  std::vector<Stretch> stretches;
  for (std::size_t i = 0; i < x.rank(); ++i) stretches.push_back({x.sizes[i].count, x.sizes[i].count, 1});
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = dimension_of(axes[i], x.rank());
    stretches[axis] = stretch_of(
        call, x.sizes[axis],
        by_scale ? std::optional(scales[static_cast<std::int64_t>(i)].item<double>()) : std::nullopt,
        by_scale ? std::nullopt : std::optional(wanted[i]), call.emitter().fixed_batch);
    constexpr std::int64_t most = 1 << 24;
    if (stretches[axis].to > most ||
        stretches[axis].from > most / std::max<std::int64_t>(stretches[axis].to, 1))
      call.problem("makes an image of too many pixels");
  }
  const auto same = [](const Stretch& s) { return s.from == s.to && s.scale == 1; };
  const bool image = x.rank() == 4 && same(stretches[0]) && same(stretches[1]);
  if (image && repeats_pixels(call, how, stretches[2]) && repeats_pixels(call, how, stretches[3])) {
    const std::vector<std::int64_t> size = {stretches[2].to, stretches[3].to};
    return {call.emit("aten::upsample_nearest2d", {x, size, std::nullopt, std::nullopt},
                      {x.sizes[0], x.sizes[1], {size[0]}, {size[1]}})};
  }
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (!same(stretches[i])) x = stretched(call, x, i, how, stretches[i]);
  return {x};
}

Values resize(OnnxCall& call) {
  Resizing how{call.text("mode", "nearest"), "asymmetric", "floor", call.real("cubic_coeff_a", -0.75),
               call.integer("exclude_outside", 0) != 0};
  if (call.opset() >= 11) {
    how.coordinates = call.text("coordinate_transformation_mode", "half_pixel");
    how.nearest = call.text("nearest_mode", "round_prefer_floor");
  }
  if (how.mode != "nearest" && how.mode != "linear" && how.mode != "cubic")
    call.problem("has mode '{}'", how.mode);
  if (call.integer("antialias", 0) != 0)
    call.problem("smooths what it makes smaller (antialias), which whence does not read");
  if (call.text("keep_aspect_ratio_policy", "stretch") != "stretch") call.problem("keeps the aspect ratio");
  return resized(call, how, call.opset() >= 11 ? 2 : 1, 3);
}

Values upsample(OnnxCall& call) {
  return resized(call, {call.text("mode", "nearest"), "asymmetric", "floor"}, 1, 3);
}

constexpr OnnxEntry kResizings[] = {{"Resize", resize}, {"Upsample", upsample}};

}  // namespace

std::span<const OnnxEntry> onnx_resizings() { return kResizings; }

}  // namespace whence::interchange
