// Generative causal explanations, trained on images in memory; what a run folder needs of them.
#include <ATen/ATen.h>

#include "bindings/networks.h"
#include "kinds/gce/check_training.h"
#include "kinds/gce/gce.h"
#include "whence/core/error.h"
#include "whence/explain/flow/sweep.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"

namespace whence::python {
namespace {

/// [explanation]
config::Section section() { return kinds::gce_sections().front(); }

gce::Training training_of(const Texts& texts) {
  config::Values values = explanation_defaults();
  read_options(section().keys, texts, values);
  kinds::check_training(values.get<gce::Training>(), "explain");
  return values.get<gce::Training>();
}

py::dict explain(const models::Classifier& classifier, const at::Tensor& images, const at::Tensor& labels,
                 const std::vector<std::string>& class_names, const std::string& architecture,
                 std::int64_t width, const std::string& initialisation, const Texts& texts,
                 std::uint64_t seed, const py::object& progress) {
  gce::Training options = training_of(texts);
  const NetworkChoice choice = network_choice(architecture, width, initialisation);
  options.initial = choice.initial;
  options.seed = seed;
  const ProgressCallback told = watched(progress);
  EncoderPtr encoder;
  DecoderPtr decoder;
  nn::LoopSummary summary;
  {
    const py::gil_scoped_release released;
    const data::Dataset train{images, labels, class_names};
    Networks networks = new_networks(choice, images.sizes().slice(1).vec(),
                                     options.causal + options.noncausal, classifier.device());
    options.warm_start = start_linearly(networks, train, options.initial, options.kl_weight, seed);
    summary = gce::train(networks.encoder, networks.decoder, classifier, train, options, told);
    encoder = models::as_encoder(networks.encoder);
    decoder = models::as_decoder(networks.decoder);
  }
  using namespace pybind11::literals;
  return py::dict("encoder"_a = encoder, "decoder"_a = decoder, "steps"_a = summary.steps,
                  "seconds"_a = summary.seconds, "step_seconds_median"_a = summary.step_seconds_median);
}

/// [explanation] of a recipe.
std::string explanation_toml(const Texts& texts) {
  config::Values values = explanation_defaults();
  read_options(section().keys, texts, values);
  return config::to_toml({section()}, values);
}

py::tuple sweep(const models::Decoder& decoder, const models::Classifier& classifier, const at::Tensor& codes,
                std::int64_t factor, double first, double last, std::int64_t steps) {
  flow::Sweep found;
  {
    const py::gil_scoped_release released;
    found = flow::sweep(decoder, classifier, codes, factor, flow::even_steps(first, last, steps));
  }
  return py::make_tuple(found.images, found.probabilities, found.values);
}

const nn::Network& network_of(const nn::Network* network, const char* what) {
  if (network == nullptr) fail("the layers of this {} are unknown, so its weights cannot be written", what);
  return *network;
}

template <class Role>
void save_weights(const Role& role, const std::string& file) {
  const nn::Network& network = network_of(role.network(), "model");
  const py::gil_scoped_release released;
  nn::save_safetensors(file, network.state(), {{"network", network.name()}});
}

}  // namespace

config::Values explanation_defaults() {
  config::Values values;
  gce::Training& options = values.get<gce::Training>();
  options.effect.inference = gce::Inference::variational;
  options.effect.estimator.sampling = flow::Sampling::nested;
  options.effect.beta_samples = 1;
  options.lambda = 0.03;
  options.steps = 3000;
  options.batch = 32;
  options.learning_rate = 5e-3;
  options.beta2 = 0.99;
  options.schedule = nn::Schedule::one_cycle;
  return values;
}

std::vector<config::Key> explanation_keys() { return section().keys; }

void add_explain(py::module_& module) {
  module.def("explain", &explain);
  module.def("explanation_toml", &explanation_toml);
  module.def("sweep", &sweep);
  module.def("save_weights", &save_weights<models::Encoder>);
  module.def("save_weights", &save_weights<models::Decoder>);
  module.def("save_decoder", [](const models::Decoder& decoder, const std::string& file) {
    const nn::Network& network = network_of(decoder.network(), "decoder");
    const py::gil_scoped_release released;
    nn::export_torchscript(network, file);
  });
  module.def("save_classifier", [](const models::Classifier& classifier, const std::string& file) {
    const nn::Network& network = network_of(classifier.network(), "classifier");
    const py::gil_scoped_release released;
    nn::export_torchscript(network, file);
  });
}

}  // namespace whence::python
