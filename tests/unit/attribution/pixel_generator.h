// A generator whose latents are the pixels, so that paths in codes are known.
#pragma once

#include <memory>

#include "unit/attribution/cases.h"
#include "whence/explain/counterfactual/image_model.h"

namespace whence::attribution::known {

/// x = (z + 2) / 4.
class PixelDecoder final : public models::Decoder {
 public:
  explicit PixelDecoder(at::IntArrayRef image) : image_(image.vec()) {}
  at::Tensor decode(const at::Tensor& z) const override {
    return ((z + 2) / 4).view({z.size(0), image_[0], image_[1], image_[2]});
  }
  std::int64_t latents() const override { return image_[0] * image_[1] * image_[2]; }

 private:
  std::vector<std::int64_t> image_;
};
class PixelEncoder final : public models::Encoder {
 public:
  explicit PixelEncoder(std::int64_t latents) : latents_(latents) {}
  models::Posterior encode(const at::Tensor& x) const override {
    const at::Tensor mean = 4 * x.flatten(1) - 2;
    return {mean, at::full_like(mean, -6)};
  }
  std::int64_t latents() const override { return latents_; }

 private:
  std::int64_t latents_;
};

class PixelGenerator {
 public:
  /// Knows images that it draws, a few at a time.
  PixelGenerator(const models::Classifier& classifier, at::IntArrayRef image, std::int64_t known = 60)
      : decoder_(image), encoder_(decoder_.latents()) {
    const at::Tensor images = random_images(known, image, 17);
    const at::Tensor labels = answers_to(classifier, images, 5);
    const bool one = at::equal(labels, labels[0].expand_as(labels));
    const auto codes = counterfactual::known_codes(encoder_, decoder_, classifier, images,
                                                   one ? at::arange(known, at::kLong).remainder(2) : labels);
    model_ = std::make_shared<const counterfactual::ImageModel>(
        counterfactual::ImageModel{encoder_, decoder_, codes});
  }
  PixelGenerator(const PixelGenerator&) = delete;
  PixelGenerator& operator=(const PixelGenerator&) = delete;

  std::shared_ptr<const counterfactual::ImageModel> model() const { return model_; }

 private:
  PixelDecoder decoder_;
  PixelEncoder encoder_;
  std::shared_ptr<const counterfactual::ImageModel> model_;
};

}  // namespace whence::attribution::known
