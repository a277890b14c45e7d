// Causes in a frozen generator: directions, or a map that bends them.
#include "kinds/causes/causes.h"

#include <ATen/ATen.h>

#include "bindings/bindings.h"
#include "whence/core/error.h"
#include "whence/explain/gce/in_front.h"

namespace whence::python {
namespace {

using LatentMapPtr = std::shared_ptr<gce::LatentMap>;

/// A decoder behind a map, which keeps the generator alive.
class KeptDecoder final : public models::Decoder {
 public:
  KeptDecoder(const gce::LatentMap& map, DecoderPtr generator)
      : generator_(std::move(generator)), behind_(gce::in_front(map.network(), *generator_)) {}
  at::Tensor decode(const at::Tensor& u) const override { return behind_->decode(u); }
  std::int64_t latents() const override { return behind_->latents(); }
  at::Device device() const override { return behind_->device(); }

 private:
  DecoderPtr generator_;
  std::unique_ptr<models::Decoder> behind_;
};

/// With layers where those of the generator are known.
DecoderPtr behind(const gce::LatentMap& map, const DecoderPtr& generator) {
  if (generator->network() == nullptr) return std::make_shared<KeptDecoder>(map, generator);
  nn::Network whole = gce::in_front(map.network(), *generator->network());
  whole.to(generator->device());
  return models::as_decoder(whole);
}

py::dict causes(const DecoderPtr& decoder, const models::Classifier& classifier, std::int64_t causal,
                const Texts& texts, std::uint64_t seed, const py::object& progress) {
  config::Values values;
  read_options(kinds::causes_section().keys, texts, values);
  auto options = values.get<kinds::CausesOptions>();
  options.causal = causal;
  const ProgressCallback told = watched(progress);
  LatentMapPtr map;
  DecoderPtr factors;
  std::string record;
  {
    const py::gil_scoped_release released;
    kinds::CausesStudy study = kinds::study_causes(*decoder, classifier, options, seed, told);
    record = kinds::to_json(study).dump();
    map = std::make_shared<gce::LatentMap>(std::move(study.map));
    factors = behind(*map, decoder);
  }
  using namespace pybind11::literals;
  return py::dict("map"_a = map, "decoder"_a = factors, "record"_a = record);
}

/// On the map's device, (N, latents).
at::Tensor rows_for(const gce::LatentMap& map, const at::Tensor& rows, const char* what) {
  const nn::Shape shape = map.network().input_shape();
  if (rows.dim() != 2 || rows.size(1) != shape.front())
    fail_usage("{} must have the shape (N, {})", what, shape.front());
  return rows.to(at::kFloat);
}

}  // namespace

void add_causes(py::module_& module) {
  py::class_<gce::LatentMap, LatentMapPtr>(
      module, "LatentMap", "Makes the latents of a frozen generator from causal and other factors.")
      .def(
          "codes",
          [](const gce::LatentMap& map, const at::Tensor& factors) {
            return map.codes(rows_for(map, factors, "factors")).detach();
          },
          py::arg("factors"), "Latents (N, latents) of factors (N, latents), the causal ones first.")
      .def(
          "factors",
          [](const gce::LatentMap& map, const at::Tensor& codes) {
            return map.factors(rows_for(map, codes, "codes")).detach();
          },
          py::arg("codes"), "Factors (N, latents) of latents (N, latents): the inverse of codes.")
      .def_property_readonly("causal", &gce::LatentMap::causal)
      .def(
          "save", [](const gce::LatentMap& map, const std::string& file) { map.save(file); }, py::arg("file"),
          "Writes the map as a .safetensors file.");
  module.def("causes", &causes);
}

}  // namespace whence::python
