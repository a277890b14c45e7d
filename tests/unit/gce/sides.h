// Images whose cause is known: two kinds that differ in brightness on one side.
#pragma once

#include "whence/core/random.h"
#include "whence/data/dataset.h"

namespace whence::test {

/// 8x8 images: class 1 has a bright left half; the right half's brightness is noise of its own.
inline data::Dataset sides(std::int64_t count, double bright = 200) {
  Generator generator = make_generator(3, "sides");
  const at::Tensor labels = at::arange(count) % 2;
  const at::Tensor right = at::rand({count, 1, 1, 1}, generator) * 200;
  at::Tensor images = at::empty({count, 1, 8, 8});
  images.narrow(3, 0, 4).copy_((labels * bright).view({-1, 1, 1, 1}).expand({count, 1, 8, 4}));
  images.narrow(3, 4, 4).copy_(right.expand({count, 1, 8, 4}));
  return {images.to(at::kByte), labels.to(at::kLong), {"dark", "bright"}};
}

}  // namespace whence::test
