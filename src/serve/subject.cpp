#include "serve/subject.h"

#include <ATen/ATen.h>

#include "whence/core/error.h"
#include "whence/platform/interrupt.h"

namespace whence::serve {

double Answers::accuracy() const {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) right += labels[i] == classes[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(std::max<std::int64_t>(1, size()));
}

Answers answers_of(const Subject& subject, const ProgressCallback& progress) {
  constexpr std::int64_t batch = 250;
  const at::NoGradGuard no_grad;
  Answers answers;
  const std::int64_t total = subject.test.size();
  for (std::int64_t first = 0; first < total; first += batch) {
    throw_if_interrupted();
    const std::int64_t count = std::min(batch, total - first);
    const at::Tensor images = data::to_float(subject.test, first, count, subject.classifier->device());
    const auto [confidence, classes] =
        subject.classifier->logits(images).to(at::kFloat).softmax(1).cpu().max(1);
    if (confidence.isnan().any().item<bool>())
      fail("the classifier of {} returns NaN for some of its test images; check its weights", subject.name);
    for (std::int64_t i = 0; i < count; ++i) {
      answers.labels.push_back(subject.test.labels[first + i].item<std::int64_t>());
      answers.classes.push_back(classes[i].item<std::int64_t>());
      answers.confidence.push_back(confidence[i].item<float>());
    }
    if (progress) progress({"test images", first + count, total, {}, "images"});
  }
  return answers;
}

}  // namespace whence::serve
