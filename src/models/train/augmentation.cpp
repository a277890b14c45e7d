#include "whence/models/train/augmentation.h"

#include "whence/platform/device.h"

namespace whence::models {
namespace {

/// `count` whole numbers from 0 to below - 1, each by itself, where the images lie.
at::Tensor draw(const at::Tensor& images, std::int64_t below, at::Generator& generator) {
  return at::randint(0, below, {images.size(0)}, generator, draws_of(generator, at::kLong))
      .to(images.device());
}

/// 0, 1, ... as long as an axis of the images is.
at::Tensor numbers(const at::Tensor& images, std::int64_t axis) {
  return at::arange(images.size(axis), images.options().dtype(at::kLong));
}

/// Which pixels of an axis `side` pixels around each image's `middle` cover, (n, length).
at::Tensor covered(const at::Tensor& middle, std::int64_t side, const at::Tensor& axis) {
  const at::Tensor first = (middle - side / 2).unsqueeze(1);
  return axis.unsqueeze(0).ge(first).bitwise_and(axis.unsqueeze(0).lt(first + side));
}

void cut_out(const at::Tensor& images, std::int64_t side, at::Generator& generator) {
  const at::Tensor rows = covered(draw(images, images.size(2), generator), side, numbers(images, 2));
  const at::Tensor columns = covered(draw(images, images.size(3), generator), side, numbers(images, 3));
  images.masked_fill_(rows.unsqueeze(2).bitwise_and(columns.unsqueeze(1)).unsqueeze(1), 0);
}

}  // namespace

at::Tensor augment(const at::Tensor& images, const Augmentation& options, at::Generator& generator) {
  const std::int64_t margin = options.crop, shifts = 2 * margin + 1, width = images.size(3);
  const at::Tensor down = draw(images, shifts, generator), right = draw(images, shifts, generator);
  const at::Tensor mirrored = draw(images, options.flip ? 2 : 1, generator);
  const at::Tensor image = numbers(images, 0).view({-1, 1, 1});
  const at::Tensor row = (down.unsqueeze(1) + numbers(images, 2).unsqueeze(0)).unsqueeze(2);
  const at::Tensor across = numbers(images, 3).unsqueeze(0);
  const at::Tensor column =
      (right.unsqueeze(1) + at::where(mirrored.unsqueeze(1).eq(1), width - 1 - across, across)).unsqueeze(1);
  // (n, H, W, C): whole pixels are taken, and lie as channels-last images have them.
  const at::Tensor padded =
      at::constant_pad_nd(images, {margin, margin, margin, margin}).permute({0, 2, 3, 1});
  const at::Tensor changed = padded.contiguous().index({image, row, column}).permute({0, 3, 1, 2});
  if (options.cutout > 0) cut_out(changed, options.cutout, generator);
  return changed;
}

}  // namespace whence::models
