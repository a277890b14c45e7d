// Encoders for generators that stay as they are.
#include "whence/models/train/inversion.h"

#include <ATen/ATen.h>

#include "bindings/networks.h"
#include "whence/core/error.h"

namespace whence::python {
namespace {

void check_training(const models::InverseTraining& options) {
  if (options.steps < 1 || options.batch < 1)
    fail_usage("steps is {} and batch is {}, but both must be 1 or more", options.steps, options.batch);
  if (!(options.learning_rate > 0) || !(options.kl_weight >= 0) || !(options.sleep_weight >= 0))
    fail_usage("learning_rate must be above 0, kl_weight and sleep_weight 0 or more, not {}, {} and {}",
               options.learning_rate, options.kl_weight, options.sleep_weight);
}

EncoderPtr train_encoder(const models::Decoder& decoder, const at::Tensor& images,
                         const std::string& architecture, std::int64_t width,
                         const std::string& initialisation, std::int64_t steps, std::int64_t batch,
                         double learning_rate, double kl_weight, double sleep_weight, std::uint64_t seed,
                         const py::object& progress) {
  const NetworkChoice choice = network_choice(architecture, width, initialisation);
  models::InverseTraining options;
  options.kl_weight = kl_weight;
  options.sleep_weight = sleep_weight;
  options.initial = choice.initial;
  options.steps = steps;
  options.batch = batch;
  options.learning_rate = learning_rate;
  options.seed = seed;
  check_training(options);
  const ProgressCallback told = watched(progress);
  const py::gil_scoped_release released;
  const data::Dataset train{images, at::zeros({images.size(0)}, at::kLong), {"any"}};
  nn::Network encoder =
      new_networks(choice, images.sizes().slice(1).vec(), decoder.latents(), decoder.device()).encoder;
  models::train_inverse(encoder, decoder, train, options, told);
  return models::as_encoder(encoder);
}

}  // namespace

void add_inversion(py::module_& module) { module.def("train_encoder", &train_encoder); }

}  // namespace whence::python
