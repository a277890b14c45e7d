#include "whence/models/guessing.h"

#include <cmath>

#include "whence/models/train/classifier.h"

namespace whence::models {
namespace {

/// The classifier as it answers to bytes from 0 to 255.
class OnBytes final : public Classifier {
 public:
  explicit OnBytes(const Classifier& classifier) : classifier_(classifier) {}
  at::Tensor logits(const at::Tensor& x) const override { return classifier_.logits(255 * x); }
  std::int64_t classes() const override { return classifier_.classes(); }
  at::Device device() const override { return classifier_.device(); }

 private:
  const Classifier& classifier_;
};

constexpr std::int64_t most_images = 1000;

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

}  // namespace

std::string guessing_note(const Classifier& classifier, const data::Dataset& images, double accuracy) {
  const auto count = static_cast<double>(images.size());
  const double guess = images.labels.bincount().max().item<double>() / count;
  const double doubt = 2 * std::sqrt(guess * (1 - guess) / count);
  if (accuracy > guess + doubt) return "";
  const at::NoGradGuard no_grad;
  const double on_bytes =
      models::accuracy(OnBytes(classifier), data::slice(images, 0, std::min(most_images, images.size())));
  const std::string hint =
      on_bytes > guess + doubt
          ? fmt::format(
                "On images times 255 it is right on {}: it expects pixel values from 0 to 255, but "
                "gets 0 to 1; put the factor into the module.",
                percent(on_bytes))
          : "Check the order of the classes and the scaling: the module gets pixel values from 0 to 1, and "
            "must "
            "normalise them itself.";
  return fmt::format(
      "**The classifier only guesses: it is right on {} of these images, and the most frequent class alone "
      "is {} of them.** {}",
      percent(accuracy), percent(guess), hint);
}

}  // namespace whence::models
