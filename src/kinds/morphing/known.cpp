#include "kinds/morphing/known.h"

#include "whence/core/random.h"

namespace whence::kinds {
namespace {

/// Training images of a class that its linear autoencoder is fitted to.
constexpr std::int64_t kFittedOfClass = 2000;

}  // namespace

counterfactual::KnownCodes known_codes(const models::Classifier& classifier, const models::Encoder& encoder,
                                       const models::Decoder& decoder, const data::Dataset& train,
                                       std::int64_t count, std::uint64_t seed,
                                       const ProgressCallback& progress) {
  Generator generator = make_generator(seed, "morphing/known");
  const data::Dataset known = data::pick(train, data::sample_rows(train, count, generator));
  return counterfactual::known_codes(encoder, decoder, classifier, data::to_float(known), known.labels,
                                     progress);
}

counterfactual::ClassAutoencoders class_autoencoders(const data::Dataset& train, std::int64_t components,
                                                     std::uint64_t seed) {
  Generator generator = make_generator(seed, "morphing/autoencoders");
  return counterfactual::fit_class_autoencoders(train, components, kFittedOfClass, generator);
}

}  // namespace whence::kinds
