// What a training begins with: weights of another one, or principal components.
#include "experiment/stages.h"
#include "kinds/generator/generator.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/random.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/train/components.h"
#include "whence/models/train/linear_start.h"

namespace whence::kinds {
namespace {

/// Training images whose principal components a linear path starts as.
constexpr std::int64_t kStartImages = 10'000;
constexpr const char* kStartFiles[] = {"encoder.safetensors", "decoder.safetensors"};

std::filesystem::path start_of(const Session& session) {
  return session.get<experiment::GeneratorOptions>().start;
}

/// Latents as the start's encoder has them; -1 when it has no such layer.
std::int64_t latents_of(const std::filesystem::path& file, const nn::Network& encoder) {
  const std::string head = encoder.layers()[encoder.outputs().front()].name + ".weight";
  for (const nn::NamedTensor& entry : nn::load_safetensors(file).tensors)
    if (entry.name == head) return entry.tensor.size(0);
  return -1;
}

}  // namespace

void check_start(Session& session) {
  const std::filesystem::path folder = start_of(session);
  if (folder.empty()) return;
  for (const char* name : kStartFiles) {
    if (!std::filesystem::exists(folder / name))
      fail("generator.start is {}, which has no {}; give the folder of a finished training", folder.string(),
           name);
  }
  const std::int64_t latents = latents_of(folder / kStartFiles[0], session.encoder_network());
  if (latents >= 0 && latents != session.latents())
    fail("the generator of {} has {} latents, but {} is {}; they must be the same to start from it",
         folder.string(), latents,
         trains_alone(session.recipe().values) ? "generator.latents"
                                               : "explanation.causal + explanation.noncausal",
         session.latents());
}

nlohmann::json start_content(Session& session) {
  nlohmann::json made_of = nlohmann::json::object();
  const std::filesystem::path start = start_of(session);
  if (start.empty()) return made_of;
  for (const char* name : kStartFiles) {
    if (std::filesystem::exists(start / name))
      made_of["start"][name] = experiment::fingerprint_of(read_file(start / name));
  }
  return made_of;
}

bool load_start(Session& session, nn::Network& encoder, nn::Network& decoder, double kl_weight) {
  const std::filesystem::path folder = start_of(session);
  if (!folder.empty()) {
    check_start(session);
    nn::load_network(folder / kStartFiles[0], encoder);
    nn::load_network(folder / kStartFiles[1], decoder);
    return true;
  }
  if (!models::has_linear_path(decoder)) return false;
  models::initialise_autoencoder(encoder, decoder, session.get<experiment::GeneratorOptions>().initial,
                                 session.seed());
  const data::Dataset& train = session.data().train;
  Generator rows = make_generator(session.seed(), "generator/start");
  const models::Components components = models::principal_components(
      data::pick(train, data::sample_rows(train, kStartImages, rows)), session.latents(), rows);
  models::start_linear_path(encoder, decoder, components, kl_weight);
  return true;
}

}  // namespace whence::kinds
