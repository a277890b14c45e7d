#include "bindings/attribution.h"

#include <ATen/ATen.h>

#include "kinds/morphing/morphing.h"
#include "whence/core/random.h"
#include "whence/data/dataset.h"

namespace whence::python {
namespace {

/// Without images of the data, codes from N(0, I) stand for them, as for the program's own files.
constexpr std::int64_t kDrawn = 2000;

}  // namespace

counterfactual::KnownCodes known_codes_of(const models::Encoder& encoder, const models::Decoder& decoder,
                                          const models::Classifier& classifier,
                                          const std::optional<at::Tensor>& images,
                                          const std::optional<at::Tensor>& labels, std::int64_t count,
                                          std::uint64_t seed, const ProgressCallback& progress) {
  Generator generator = make_generator(seed, "morphing/known");
  if (!images) return counterfactual::known_codes_of_draws(encoder, decoder, classifier, kDrawn, generator);
  const at::Tensor rows = data::sample_rows({*images, *labels, {}}, count, generator).to(images->device());
  at::Tensor known = images->index_select(0, rows);
  if (known.scalar_type() == at::kByte) known = known.to(at::kFloat).div(255);
  return counterfactual::known_codes(encoder, decoder, classifier, known,
                                     labels->to(images->device()).index_select(0, rows), progress);
}

std::shared_ptr<const counterfactual::ImageModel> image_model_of(const std::optional<Autoencoder>& given,
                                                                 const models::Classifier& classifier,
                                                                 std::int64_t known, std::uint64_t seed,
                                                                 const ProgressCallback& progress) {
  if (!given) return nullptr;
  const auto& [encoder, decoder, images, labels] = *given;
  counterfactual::KnownCodes codes;
  if (known > 0)
    codes = known_codes_of(*encoder, *decoder, classifier, images, labels, known, seed, progress);
  return std::make_shared<const counterfactual::ImageModel>(
      counterfactual::ImageModel{*encoder, *decoder, std::move(codes)});
}

std::vector<config::Key> attribution_keys() {
  std::vector<config::Key> keys = kinds::attribution_section().keys;
  for (config::Key& key : kinds::morph_keys("morph_")) keys.push_back(std::move(key));
  return keys;
}

AttributionChoice attribution_choice(const Texts& texts, const std::optional<at::Tensor>& references,
                                     std::uint64_t seed) {
  config::Values values;
  read_options(attribution_keys(), texts, values);
  AttributionChoice choice{kinds::attribution_options(values), values.get<kinds::MorphingOptions>().known};
  kinds::AttributionOptions& options = choice.options;
  options.options.seed = options.perturbation.seed = seed;
  options.perturbation.batch = options.options.batch;
  if (references) options.options.references = *references;
  return choice;
}

py::dict attribution_dict(const attribution::Attribution& found, const at::Tensor& target,
                          std::string_view method) {
  using namespace pybind11::literals;
  return py::dict("values"_a = found.values, "scores"_a = found.scores, "target"_a = target,
                  "completeness_error"_a = tensor_or_none(found.completeness_error),
                  "standard_error"_a = tensor_or_none(found.standard_error),
                  "method"_a = std::string(method));
}

}  // namespace whence::python
