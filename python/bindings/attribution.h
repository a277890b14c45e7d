// What the functions about attributions share.
#pragma once

#include <tuple>

#include "bindings/bindings.h"
#include "kinds/attribution/attribution.h"
#include "whence/explain/counterfactual/image_model.h"

namespace whence::python {

/// Encoder, decoder, and images of the data with their classes, whose codes are known; without images, draws of the decoder stand for them.
using Autoencoder = std::tuple<EncoderPtr, DecoderPtr, std::optional<at::Tensor>, std::optional<at::Tensor>>;

/// Of at most `count` of the images (float or bytes), drawn at random.
counterfactual::KnownCodes known_codes_of(const models::Encoder& encoder, const models::Decoder& decoder,
                                          const models::Classifier& classifier,
                                          const std::optional<at::Tensor>& images,
                                          const std::optional<at::Tensor>& labels, std::int64_t count,
                                          std::uint64_t seed, const ProgressCallback& progress);

/// Null without an autoencoder. `known`: images of the data whose codes are asked for; 0: none. Refers to the models in `given`. The
/// interpreter is not held.
std::shared_ptr<const counterfactual::ImageModel> image_model_of(const std::optional<Autoencoder>& given,
                                                                 const models::Classifier& classifier,
                                                                 std::int64_t known, std::uint64_t seed,
                                                                 const ProgressCallback& progress);

/// Keys of [attribution], and those of [morphing] that path methods need, each behind "morph_".
std::vector<config::Key> attribution_keys();

struct AttributionChoice {
  kinds::AttributionOptions options;
  std::int64_t known;  ///< images of the data whose codes path methods know
};
/// Of attribution_keys. Errors: those of read_options.
AttributionChoice attribution_choice(const Texts& texts, const std::optional<at::Tensor>& references,
                                     std::uint64_t seed);

/// The fields of whence.Attribution, but for the images.
py::dict attribution_dict(const attribution::Attribution& found, const at::Tensor& target,
                          std::string_view method);

}  // namespace whence::python
