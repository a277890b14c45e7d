// What is found out about the causes of one generator.
#include "kinds/causes/causes.h"
#include "whence/core/random.h"
#include "whence/explain/gce/in_front.h"
#include "whence/interchange/torchscript.h"

namespace whence::kinds {
namespace {

/// Fewer cannot bend.
constexpr std::int64_t kLeastBetas = 2;

flow::FlowReport flow_behind(const gce::LatentMap& map, const models::Decoder& decoder,
                             const models::Classifier& classifier, const CausesOptions& options,
                             std::uint64_t seed, const ProgressCallback& progress) {
  flow::FlowOptions flow;
  flow.outer = options.outer;
  flow.inner = options.inner;
  flow.factors = flow::FactorDraws::shared;
  return flow::measure_flow(*gce::in_front(map.network(), decoder), classifier, options.causal, flow, seed,
                            progress);
}

nlohmann::json with_share(const flow::FlowReport& report) {
  nlohmann::json json = flow::to_json(report);
  json["beta_share"] = beta_share(report);
  return json;
}

}  // namespace

CausesStudy study_causes(const models::Decoder& decoder, const models::Classifier& classifier,
                         const CausesOptions& options, std::uint64_t seed, const ProgressCallback& progress) {
  gce::DirectionOptions directions = options.directions;
  directions.causal = options.causal;
  Generator generator = make_generator(seed, "causes/directions"), draws = make_generator(seed, "causes/map");
  const at::Tensor found = gce::causal_directions(decoder, classifier, directions, generator, progress);
  const at::Tensor rotation = gce::ordered_rotation(decoder, classifier, found, directions, generator);
  const auto measured = [&](const gce::LatentMap& map) {
    return flow_behind(map, decoder, classifier, options, seed, progress);
  };
  gce::LatentMapOptions straight = options.map;
  straight.couplings = 0;
  gce::LatentMap turned(rotation, options.causal, straight, draws);
  flow::FlowReport of_directions = measured(turned);
  if (options.map.steps == 0 || decoder.latents() < options.causal + kLeastBetas)
    return {std::move(turned), std::move(of_directions), std::nullopt, false};
  gce::LatentMap bent =
      gce::trained_latent_map(decoder, classifier, rotation, options.causal, options.map, draws, progress);
  flow::FlowReport of_bent = measured(bent);
  const bool better = of_bent.alpha.nats > of_directions.alpha.nats;
  return {better ? std::move(bent) : std::move(turned), std::move(of_directions), std::move(of_bent), better};
}

std::vector<std::string> save_causes(const CausesStudy& study, const models::Decoder& decoder,
                                     const std::filesystem::path& folder) {
  std::vector<std::string> files = {kCausesFile};
  study.map.save(folder / kCausesFile);
  if (decoder.network() == nullptr) return files;
  files.emplace_back("causes.pt");
  nn::export_torchscript(gce::in_front(study.map.network(), *decoder.network()), folder / files.back());
  return files;
}

double beta_share(const flow::FlowReport& report) {
  const double alpha = std::max(report.alpha.nats, 0.0), beta = std::max(report.beta.nats, 0.0);
  return alpha + beta > 0 ? beta / (alpha + beta) : 0;
}

nlohmann::json to_json(const CausesStudy& study) {
  nlohmann::json json = {{"causal", study.map.causal()},
                         {"latents", study.directions.factors.size()},
                         {"flow", with_share(study.kept())},
                         {"directions", with_share(study.directions)},
                         {"kept", study.bent_is_kept ? "bent" : "directions"}};
  if (study.bent) json["bent"] = with_share(*study.bent);
  return json;
}

}  // namespace whence::kinds
