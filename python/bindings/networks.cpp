#include "bindings/networks.h"

#include <ATen/ATen.h>

#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/core/random.h"
#include "whence/models/train/linear_start.h"

namespace whence::python {
namespace {

/// Training images whose principal components a linear path starts as.
constexpr std::int64_t kStartImages = 10'000;

const models::AutoencoderArchitecture& autoencoder_named(const std::string& name) {
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

}  // namespace

NetworkChoice network_choice(const std::string& architecture, std::int64_t width,
                             const std::string& initialisation) {
  return {&autoencoder_named(architecture), width, initial_named(initialisation)};
}

Networks new_networks(const NetworkChoice& choice, const nn::Shape& image, std::int64_t latents,
                      at::Device device) {
  models::AutoencoderShape shape;
  shape.image = image;
  shape.latents = latents;
  shape.width = choice.width;
  Networks networks{choice.architecture->encoder(shape), choice.architecture->decoder(shape)};
  networks.encoder.to(device);
  networks.decoder.to(device);
  return networks;
}

bool start_linearly(Networks& networks, const data::Dataset& train, models::InitialWeights initial,
                    double kl_weight, std::uint64_t seed) {
  if (!models::has_linear_path(networks.decoder)) return false;
  models::initialise_autoencoder(networks.encoder, networks.decoder, initial, seed);
  Generator rows = make_generator(seed, "generator/start");
  const models::Components components =
      models::principal_components(data::pick(train, data::sample_rows(train, kStartImages, rows)),
                                   networks.decoder.input_shape().front(), rows);
  models::start_linear_path(networks.encoder, networks.decoder, components, kl_weight);
  return true;
}

}  // namespace whence::python
