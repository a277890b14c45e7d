// What morphs know of the data: one place for the stages of recipes and for the verbs.
#pragma once

#include "whence/explain/counterfactual/judgement.h"

namespace whence::kinds {

/// Of at most `count` of the training images, drawn by the seed. Progress and errors: those of counterfactual::known_codes.
counterfactual::KnownCodes known_codes(const models::Classifier& classifier, const models::Encoder& encoder,
                                       const models::Decoder& decoder, const data::Dataset& train,
                                       std::int64_t count, std::uint64_t seed,
                                       const ProgressCallback& progress = {});

/// The linear autoencoders of the classes, which IM1 and IM2 need.
counterfactual::ClassAutoencoders class_autoencoders(const data::Dataset& train, std::int64_t components,
                                                     std::uint64_t seed);

}  // namespace whence::kinds
