#include <cmath>

#include "whence/data/pictures.h"

namespace whence::data {
namespace {

constexpr std::int64_t images_at_once = 1024;  // as float32 they need four times the memory

at::Tensor to_bytes(const at::Tensor& values) { return values.round().clamp(0, 255).to(at::kByte); }

at::Tensor to_grey(const at::Tensor& images) {
  const at::Tensor weights = at::tensor({0.299f, 0.587f, 0.114f}).reshape({1, 3, 1, 1});
  return to_bytes(images.to(at::kFloat).mul(weights).sum(1, true));
}

at::Tensor with_colours(const at::Tensor& images, Colours colours) {
  const std::int64_t channels = images.size(1);
  if (colours == Colours::grey && channels == 3) return to_grey(images);
  if (colours == Colours::rgb && channels == 1) return images.expand({-1, 3, -1, -1}).contiguous();
  return images;
}

/// Scaled until `height` x `width` is covered, then cut.
at::Tensor covering(const at::Tensor& images, std::int64_t height, std::int64_t width) {
  const auto h = static_cast<double>(images.size(2)), w = static_cast<double>(images.size(3));
  const double scale = std::max(static_cast<double>(height) / h, static_cast<double>(width) / w);
  const std::int64_t tall = std::max<std::int64_t>(height, std::llround(h * scale));
  const std::int64_t wide = std::max<std::int64_t>(width, std::llround(w * scale));
  at::Tensor scaled = images;
  if (tall != images.size(2) || wide != images.size(3)) {
    scaled = to_bytes(at::_upsample_bilinear2d_aa(images.to(at::kFloat), {tall, wide}, false));
  }
  return scaled.narrow(2, (tall - height) / 2, height).narrow(3, (wide - width) / 2, width).contiguous();
}

at::Tensor few_to_form(const at::Tensor& images, const ImageForm& form) {
  const at::Tensor coloured = with_colours(images, form.colours);
  return form.size.empty() ? coloured : covering(coloured, form.size[0], form.size[1]);
}

}  // namespace

at::Tensor to_form(const at::Tensor& images, const ImageForm& form) {
  TORCH_CHECK(images.scalar_type() == at::kByte && images.dim() == 4, "images are uint8 (N, C, H, W)");
  TORCH_CHECK(form.size.empty() || form.size.size() == 2, "a size is {H, W}");
  if (form.size.empty() && form.colours == Colours::as_they_are) return images;
  std::vector<at::Tensor> done;
  for (const at::Tensor& some : images.split(images_at_once)) done.push_back(few_to_form(some, form));
  return at::cat(done);
}

Dataset to_form(const Dataset& dataset, const ImageForm& form) {
  if (!dataset.images.defined()) return dataset;
  return {to_form(dataset.images, form), dataset.labels, dataset.class_names};
}

Splits to_form(const Splits& splits, const ImageForm& form) {
  return {to_form(splits.train, form), to_form(splits.validation, form), to_form(splits.test, form),
          splits.note};
}

}  // namespace whence::data
