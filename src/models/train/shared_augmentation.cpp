#include "whence/models/train/shared_augmentation.h"

#include "whence/platform/device.h"

namespace whence::models {
namespace {

/// A number from [0, 1) for each image, (n, 1, 1, 1).
at::Tensor shares(const at::Tensor& images, at::Generator& generator) {
  return at::rand({images.size(0), 1, 1, 1}, generator, draws_of(generator)).to(images.options());
}

/// The middle of a colour: brightness + [-0.5, 0.5), saturation and contrast times a factor.
at::Tensor recoloured(const at::Tensor& images, at::Generator& generator) {
  at::Tensor changed = images + (shares(images, generator) - 0.5);
  const at::Tensor grey = changed.mean({1}, /*keepdim=*/true);
  changed = grey + (changed - grey) * (2 * shares(images, generator));
  const at::Tensor level = changed.mean({1, 2, 3}, /*keepdim=*/true);
  return level + (changed - level) * (0.5 + shares(images, generator));
}

/// Whole numbers from 0 to below - 1, (n).
at::Tensor whole_draw(const at::Tensor& images, std::int64_t below, at::Generator& generator) {
  return at::randint(0, below, {images.size(0)}, generator, draws_of(generator, at::kLong))
      .to(images.device());
}

/// 0, 1, ... along an axis, (1, length).
at::Tensor along(const at::Tensor& images, std::int64_t axis) {
  return at::arange(images.size(axis), images.options().dtype(at::kLong)).unsqueeze(0);
}

/// Of an axis, by image: where each pixel comes from, (n, length), counted in the padded image.
at::Tensor moved(const at::Tensor& images, std::int64_t axis, std::int64_t most, at::Generator& generator) {
  return along(images, axis) + whole_draw(images, 2 * most + 1, generator).unsqueeze(1);
}

at::Tensor translated(const at::Tensor& images, at::Generator& generator) {
  const std::int64_t down = images.size(2) / 8, across = images.size(3) / 8;
  const at::Tensor rows = moved(images, 2, down, generator), columns = moved(images, 3, across, generator);
  const at::Tensor padded = at::constant_pad_nd(images, {across, across, down, down});
  const at::Tensor of_rows =
      rows.view({-1, 1, images.size(2), 1}).expand({-1, images.size(1), -1, padded.size(3)});
  const at::Tensor of_columns =
      columns.view({-1, 1, 1, images.size(3)}).expand({-1, images.size(1), images.size(2), -1});
  return padded.gather(2, of_rows).gather(3, of_columns);
}

/// Whether pixels of an axis lie within half its length around a drawn middle, (n, length).
at::Tensor covered(const at::Tensor& images, std::int64_t axis, at::Generator& generator) {
  const std::int64_t side = images.size(axis) / 2;
  const at::Tensor first = whole_draw(images, images.size(axis), generator).unsqueeze(1) - side / 2;
  const at::Tensor pixels = along(images, axis);
  return pixels.ge(first).bitwise_and(pixels.lt(first + side));
}

at::Tensor cut_out(const at::Tensor& images, at::Generator& generator) {
  const at::Tensor rows = covered(images, 2, generator), columns = covered(images, 3, generator);
  return images.masked_fill(rows.unsqueeze(2).bitwise_and(columns.unsqueeze(1)).unsqueeze(1), 0);
}

}  // namespace

at::Tensor augment(const at::Tensor& images, const SharedAugmentation& options, at::Generator& generator) {
  at::Tensor changed = images;
  if (options.colour) changed = recoloured(changed, generator);
  if (options.translation) changed = translated(changed, generator);
  if (options.cutout) changed = cut_out(changed, generator);
  return changed;
}

}  // namespace whence::models
