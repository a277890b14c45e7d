// Generative causal explanations, trained on images in memory; what a run folder needs of them.
#include <ATen/ATen.h>

#include "bindings/bindings.h"
#include "kinds/gce/check_training.h"
#include "kinds/gce/gce.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/explain/flow/sweep.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"
#include "whence/models/architectures.h"
#include "whence/platform/interrupt.h"

namespace whence::python {
namespace {

/// [explanation]
config::Section section() { return kinds::gce_sections().front(); }

const models::AutoencoderArchitecture& architecture(const std::string& name) {
  std::vector<std::string_view> names;
  for (const models::AutoencoderArchitecture& row : models::autoencoder_architectures()) {
    if (row.name == name) return row;
    names.push_back(row.name);
  }
  fail_usage("there is no architecture '{}'{}; they are {}", name, did_you_mean(name, names),
             fmt::join(names, ", "));
}

models::InitialWeights initial_named(const std::string& name) {
  for (const auto each : {models::InitialWeights::published, models::InitialWeights::he})
    if (models::name_of(each) == name) return each;
  fail_usage("initialisation is '{}', but must be 'published' or 'he'", name);
}

gce::Training training_of(const Texts& texts) {
  config::Values values = explanation_defaults();
  read_options(section().keys, texts, values);
  kinds::check_training(values.get<gce::Training>(), "explain");
  return values.get<gce::Training>();
}

py::dict explain(const models::Classifier& classifier, const at::Tensor& images, const at::Tensor& labels,
                 const std::vector<std::string>& class_names, const std::string& architecture_name,
                 std::int64_t width, const std::string& initialisation, const Texts& texts,
                 std::uint64_t seed, const py::object& progress) {
  gce::Training options = training_of(texts);
  options.initial = initial_named(initialisation);
  options.seed = seed;
  const models::AutoencoderArchitecture& row = architecture(architecture_name);
  const ProgressCallback told = progress_of(progress);
  const ProgressCallback watched = [&](const Progress& now) {
    throw_if_interrupted();
    if (told) told(now);
  };
  EncoderPtr encoder;
  DecoderPtr decoder;
  nn::LoopSummary summary;
  {
    const py::gil_scoped_release released;
    models::AutoencoderShape shape;
    shape.image = images.sizes().slice(1).vec();
    shape.latents = options.causal + options.noncausal;
    shape.width = width;
    nn::Network encodes = row.encoder(shape), decodes = row.decoder(shape);
    encodes.to(classifier.device());
    decodes.to(classifier.device());
    summary = gce::train(encodes, decodes, classifier, {images, labels, class_names}, options, watched);
    encoder = models::as_encoder(encodes);
    decoder = models::as_decoder(decodes);
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
  module.def("save_classifier", [](const models::Classifier& classifier, const std::string& file) {
    const nn::Network& network = network_of(classifier.network(), "classifier");
    const py::gil_scoped_release released;
    nn::export_torchscript(network, file);
  });
}

}  // namespace whence::python
