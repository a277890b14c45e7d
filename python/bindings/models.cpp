// Models of files and of run folders.
#include <ATen/ATen.h>

#include "bindings/bindings.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/architectures.h"

namespace whence::python {
namespace {

models::ClassifierOutput output_named(const std::string& name) {
  if (name == "logits") return models::ClassifierOutput::logits;
  return name == "probabilities" ? models::ClassifierOutput::probabilities
                                 : models::ClassifierOutput::automatic;
}

template <class Row>
const Row& architecture(std::span<const Row> table, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Row& row : table) {
    if (row.name == name) return row;
    names.push_back(row.name);
  }
  fail("there is no architecture '{}'{}", name, did_you_mean(name, names));
}

nn::Network with_weights(nn::Network network, const std::string& file) {
  nn::load_network(file, network);
  return network;
}

/// The names of a network's layers; None where they are unknown.
template <class Role>
py::object layers_of(const Role& role) {
  if (role.network() == nullptr) return py::none();
  py::list names;
  for (const nn::Layer& layer : role.network()->layers()) names.append(layer.name);
  return names;
}

void add_roles(py::module_& module) {
  py::class_<models::Classifier, ClassifierPtr>(module, "Classifier",
                                                "A classifier, frozen and in evaluation mode.")
      .def(
          "logits", [](const models::Classifier& own, const at::Tensor& x) { return own.logits(x); },
          py::arg("x"), py::call_guard<py::gil_scoped_release>(),
          "Images (N, C, H, W) to logits (N, classes).")
      .def(
          "__call__", [](const models::Classifier& own, const at::Tensor& x) { return own.logits(x); },
          py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("classes", &models::Classifier::classes)
      .def_property_readonly("input_shape", &models::Classifier::input_shape)
      .def_property_readonly("layers", &layers_of<models::Classifier>)
      .def_property_readonly("why_opaque", &models::Classifier::why_opaque);
  py::class_<models::Decoder, DecoderPtr>(module, "Decoder", "Codes to images, frozen.")
      .def("decode", &models::Decoder::decode, py::arg("z"), py::call_guard<py::gil_scoped_release>())
      .def("__call__", &models::Decoder::decode, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("latents", &models::Decoder::latents)
      .def_property_readonly("layers", &layers_of<models::Decoder>);
  py::class_<models::Encoder, EncoderPtr>(module, "Encoder", "Images to codes, frozen.")
      .def(
          "encode",
          [](const models::Encoder& own, const at::Tensor& x) {
            models::Posterior found = [&] {
              const py::gil_scoped_release released;
              return own.encode(x);
            }();
            return std::make_pair(found.mean, found.log_variance);
          },
          py::arg("x"), "Images to (mean, log-variance).")
      .def_property_readonly("latents", &models::Encoder::latents)
      .def_property_readonly("layers", &layers_of<models::Encoder>);
}

void add_files(py::module_& module) {
  module.def(
      "classifier_from_file",
      [](const std::string& file, const std::optional<at::Tensor>& probe, const std::string& output,
         const std::string& entry) -> ClassifierPtr {
        models::ClassifierReading reading = output_named(output);
        reading.entry = entry;
        const py::gil_scoped_release released;
        if (probe) return models::load_classifier(file, *probe, reading);
        return models::load_classifier(file, reading);
      },
      py::arg("file"), py::arg("probe"), py::arg("output"), py::arg("entry") = "");
  module.def("decoder_from_file",
             [](const std::string& file, std::int64_t latents, const std::string& device) -> DecoderPtr {
               const py::gil_scoped_release released;
               return models::load_decoder(file, latents, Precision::float32, at::Device(device));
             });
  module.def("encoder_from_file", [](const std::string& file, const at::Tensor& probe) -> EncoderPtr {
    const py::gil_scoped_release released;
    return models::load_encoder(file, probe);
  });
}

/// The networks of a run folder: its recipe names their architectures.
void add_zoo(py::module_& module) {
  module.def("classifier_of_architecture",
             [](const std::string& name, nn::Shape image, std::int64_t classes, std::int64_t width,
                bool channel_dropout, const std::string& weights) -> ClassifierPtr {
               const auto& row = architecture(models::classifier_architectures(), name);
               return models::as_classifier(
                   with_weights(row.make({std::move(image), classes, width, channel_dropout}), weights));
             });
  module.def("decoder_of_architecture",
             [](const std::string& name, nn::Shape image, std::int64_t latents, std::int64_t width,
                double dropout, const std::string& weights) -> DecoderPtr {
               const auto& row = architecture(models::autoencoder_architectures(), name);
               return models::as_decoder(
                   with_weights(row.decoder({std::move(image), latents, width, dropout}), weights));
             });
  module.def("encoder_of_architecture",
             [](const std::string& name, nn::Shape image, std::int64_t latents, std::int64_t width,
                double dropout, const std::string& weights) -> EncoderPtr {
               const auto& row = architecture(models::autoencoder_architectures(), name);
               return models::as_encoder(
                   with_weights(row.encoder({std::move(image), latents, width, dropout}), weights));
             });
}

}  // namespace

void add_models(py::module_& module) {
  add_roles(module);
  add_function_models(module);
  add_files(module);
  add_zoo(module);
}

}  // namespace whence::python
