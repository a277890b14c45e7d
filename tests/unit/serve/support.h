// A classifier and images so small that every answer is known.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "serve/subject.h"

namespace whence::serve::test {

/// Logits: the brightness of the left and of the right half, tenfold. Opaque.
class Halves : public models::Classifier {
 public:
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor sums = x.flatten(1, 2).sum(1);  // (N, W)
    const std::int64_t middle = sums.size(1) / 2;
    return 10 *
           at::stack({sums.narrow(1, 0, middle).sum(1), sums.narrow(1, middle, sums.size(1) - middle).sum(1)},
                     1);
  }
  std::int64_t classes() const override { return 2; }
};

/// Twelve images (1, 2, 4): image i is bright by i / 12 on the left; even ones are called "left", odd ones "right", which is wrong.
inline Subject halves(const std::string& name = "halves") {
  Subject subject;
  subject.name = name;
  subject.classifier = std::make_shared<Halves>();
  constexpr std::int64_t count = 12;
  subject.test.images = at::zeros({count, 1, 2, 4}, at::kByte);
  for (std::int64_t i = 0; i < count; ++i)
    subject.test.images[i].narrow(2, 0, 2).fill_(at::Scalar((i + 1) * 20));
  subject.test.labels = at::arange(count, at::kLong).remainder(2);
  subject.test.class_names = subject.class_names = {"left", "right"};
  return subject;
}

}  // namespace whence::serve::test
