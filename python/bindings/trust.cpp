// Checks of an explanation: trust and ablation.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include "bindings/bindings.h"
#include "bindings/reordered.h"
#include "whence/core/random.h"
#include "whence/explain/flow/parts.h"
#include "whence/explain/flow/trust.h"

namespace whence::python {
namespace {

constexpr std::int64_t kEncodedAtOnce = 500;

/// Encoder, its latents with the causal ones in front, and how many these are.
using OtherEncoder = std::tuple<EncoderPtr, std::vector<std::int64_t>, std::int64_t>;

/// Posterior means of bytes (N, C, H, W), with the latents in the given order.
at::Tensor ordered_means(const models::Encoder& encoder, const data::Dataset& dataset,
                         const std::vector<std::int64_t>& order) {
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < dataset.size(); first += kEncodedAtOnce) {
    const std::int64_t count = std::min(kEncodedAtOnce, dataset.size() - first);
    parts.push_back(encoder.encode(data::to_float(dataset, first, count, encoder.device())).mean);
  }
  const at::Tensor means = at::cat(parts);
  return means.index_select(1, at::tensor(order, means.options().dtype(at::kLong)));
}

nlohmann::json randomization_of(const models::Decoder& decoder, const models::Classifier& classifier,
                                std::int64_t causal, std::int64_t classifiers, std::uint64_t seed,
                                const ProgressCallback& progress) {
  if (classifiers == 0) return {{"left_out", "it was not requested"}};
  if (classifier.network() == nullptr) return {{"left_out", "the layers of the classifier are unknown"}};
  if (causal == decoder.latents()) return {{"left_out", "there are no other factors"}};
  flow::RandomizationOptions options;
  options.classifiers = classifiers;
  return flow::to_json(flow::randomization_check(decoder, classifier, causal, options, seed, progress));
}

/// As kinds::check_trust, on images (bytes) in memory. `alpha`, `beta`: (nats, standard error).
std::string trust(const models::Encoder& encoder, const models::Decoder& decoder,
                  const models::Classifier& classifier, const at::Tensor& images,
                  const std::vector<std::int64_t>& order, std::int64_t causal,
                  std::pair<double, double> alpha, std::pair<double, double> beta, std::int64_t randomized,
                  const std::optional<OtherEncoder>& other, std::uint64_t seed, const py::object& progress) {
  const ProgressCallback told = watched(progress);
  const py::gil_scoped_release released;
  const at::NoGradGuard no_grad;
  const data::Dataset dataset{images, at::zeros({images.size(0)}, images.options().dtype(at::kLong)), {}};
  nlohmann::json result;
  result["leak"] = flow::to_json(flow::leaked_share({alpha.first, alpha.second}, {beta.first, beta.second}));
  result["reencoding"] = flow::to_json(flow::reencoding_agreement(encoder, decoder, classifier, dataset));
  result["reencoding"]["images"] = dataset.size();
  result["randomization"] =
      randomization_of(ReorderedDecoder(decoder, order), classifier, causal, randomized, seed, told);
  if (other) {
    const auto& [others, other_order, other_causal] = *other;
    result["seeds"] =
        flow::to_json(flow::seed_agreement(ordered_means(encoder, dataset, order), causal,
                                           ordered_means(*others, dataset, other_order), other_causal));
  }
  return result.dump();
}

/// `images`: bytes; `count` of them at random, or all (0).
py::dict ablate(const models::Encoder& encoder, const models::Decoder& decoder,
                const models::Classifier& classifier, const at::Tensor& images, const at::Tensor& labels,
                std::int64_t count, std::uint64_t seed, const py::object& progress) {
  const ProgressCallback told = watched(progress);
  flow::Ablation found;
  {
    const py::gil_scoped_release released;
    const data::Dataset all{images, labels,
                            std::vector<std::string>(static_cast<std::size_t>(classifier.classes()))};
    Generator generator = make_generator(seed, "evaluation/ablation");
    const at::Tensor rows = data::sample_rows(all, count, generator);
    const at::Tensor fresh = at::randn({rows.size(0), decoder.latents()}, generator, at::kFloat);
    found = flow::ablation_of(
        flow::right_answers(encoder, decoder, classifier, data::pick(all, rows), fresh, told));
  }
  using namespace pybind11::literals;
  return py::dict("original"_a = found.original, "reencoded"_a = found.reencoded,
                  "replaced"_a = found.replaced, "samples"_a = found.samples);
}

}  // namespace

void add_trust(py::module_& module) {
  module.def("trust", &trust);
  module.def("ablate", &ablate);
}

}  // namespace whence::python
