// Whether reconstructions say the same to classifiers as their images do.
#include "kinds/generator/generator.h"
#include "whence/core/random.h"
#include "whence/models/train/components.h"
#include "whence/platform/interrupt.h"

namespace whence::kinds {
namespace {

using at::Tensor;

/// Training images whose principal components are the control, and images at once.
constexpr std::int64_t kFitted = 20'000, kAtOnce = 500;

/// Counts of one way to change images.
struct Kept {
  std::int64_t explained = 0, independent = 0;
  double error = 0;

  nlohmann::json share(std::int64_t images, bool judged) const {
    const auto all = static_cast<double>(images);
    nlohmann::json json = {{"explained", static_cast<double>(explained) / all}, {"sse", error / all}};
    if (judged) json["independent"] = static_cast<double>(independent) / all;
    return json;
  }
};

/// Moved to the right by one pixel; the first column stays beside its copy.
Tensor shifted(const Tensor& images) {
  return at::cat({images.narrow(3, 0, 1), images.narrow(3, 0, images.size(3) - 1)}, 3);
}

std::int64_t matches(const Tensor& a, const Tensor& b) { return a.eq(b).sum().item<std::int64_t>(); }

}  // namespace

nlohmann::json kept_answers(Session& session, const models::Classifier& classifier,
                            const models::Classifier* independent, const models::Encoder& encoder,
                            const models::Decoder& decoder) {
  const at::NoGradGuard no_gradients;
  const data::Dataset &train = session.data().train, &test = session.data().test;
  Generator rows = make_generator(session.seed(), "generator/components");
  const models::Components components = models::principal_components(
      data::pick(train, data::sample_rows(train, kFitted, rows)), decoder.latents(), rows);
  Kept reconstructed, moved, linear;
  for (std::int64_t first = 0; first < test.size(); first += kAtOnce) {
    throw_if_interrupted();
    const Tensor here = data::to_float(test, first, std::min(kAtOnce, test.size() - first));
    const Tensor images = here.to(session.device());
    const Tensor answers = classifier.logits(images).argmax(1),
                 others = independent == nullptr ? Tensor() : independent->logits(images).argmax(1);
    const auto count = [&](Kept& kept, const Tensor& changed) {
      kept.explained += matches(classifier.logits(changed).argmax(1), answers);
      if (independent != nullptr) kept.independent += matches(independent->logits(changed).argmax(1), others);
      kept.error += (changed - images).square().sum(at::kDouble).item<double>();
    };
    count(reconstructed, decoder.decode(encoder.encode(images).mean));
    count(moved, shifted(images));
    count(linear, models::reconstruct(components, here).clamp(0, 1).to(images.device()));
  }
  const bool judged = independent != nullptr;
  return {{"images", test.size()},
          {"reconstructions", reconstructed.share(test.size(), judged)},
          {"shift", moved.share(test.size(), judged)},
          {"components", linear.share(test.size(), judged)}};
}

}  // namespace whence::kinds
