#include "whence/models/train/augmentation.h"

namespace whence::models {
namespace {

std::vector<std::int64_t> draw(std::int64_t count, std::int64_t below, at::Generator& generator) {
  const at::Tensor numbers = at::randint(0, below, {count}, generator, at::TensorOptions(at::kLong));
  const auto each = numbers.accessor<std::int64_t, 1>();
  std::vector<std::int64_t> drawn;
  for (std::int64_t i = 0; i < count; ++i) drawn.push_back(each[i]);
  return drawn;
}

/// The part of an axis of `length` that `side` pixels around `middle` cover: its first pixel and how many.
std::pair<std::int64_t, std::int64_t> covered(std::int64_t middle, std::int64_t side, std::int64_t length) {
  const std::int64_t first = std::max<std::int64_t>(middle - side / 2, 0);
  return {first, std::min(middle - side / 2 + side, length) - first};
}

void cut_out(const at::Tensor& images, std::int64_t side, at::Generator& generator) {
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const auto rows = draw(count, height, generator), columns = draw(count, width, generator);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto [top, high] = covered(rows[static_cast<std::size_t>(i)], side, height);
    const auto [left, wide] = covered(columns[static_cast<std::size_t>(i)], side, width);
    images[i].narrow(1, top, high).narrow(2, left, wide).zero_();
  }
}

}  // namespace

at::Tensor augment(const at::Tensor& images, const Augmentation& options, at::Generator& generator) {
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const std::int64_t margin = options.crop, shifts = 2 * margin + 1;
  const auto down = draw(count, shifts, generator), right = draw(count, shifts, generator);
  const auto mirrored = draw(count, options.flip ? 2 : 1, generator);
  const at::Tensor padded = at::constant_pad_nd(images, {margin, margin, margin, margin});
  at::Tensor changed = at::empty_like(images, at::MemoryFormat::ChannelsLast);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const at::Tensor crop = padded[i].narrow(1, down[row], height).narrow(2, right[row], width);
    changed[i].copy_(mirrored[row] == 1 ? crop.flip(2) : crop);
  }
  if (options.cutout > 0) cut_out(changed, options.cutout, generator);
  return changed;
}

}  // namespace whence::models
