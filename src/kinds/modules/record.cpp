// The study as JSON.
#include "kinds/modules/study.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::kinds {
namespace {

using namespace modularity;

nlohmann::json to_json(const Measured& value) { return {{"mean", value.mean}, {"se", value.se}}; }
nlohmann::json to_json(const Agreement& value) { return {{"cosine", value.cosine}, {"rand", value.rand}}; }

nlohmann::json to_json(const Modularity& measured) {
  nlohmann::json selectivity;
  for (const Swap swap : kSwaps)
    selectivity[std::string(name_of(swap))] = to_json(measured.selectivity[static_cast<std::size_t>(swap)]);
  return {{"margin", to_json(measured.margin)},
          {"selectivity", selectivity},
          {"map_cosine", measured.map_cosine},
          {"overlap", measured.overlap}};
}

nlohmann::json to_json(const SetDistance& distance) {
  nlohmann::json result = {
      {"to_samples", {{"mean", distance.to_samples.value}, {"se", distance.to_samples.se}}}};
  if (distance.to_real) result["to_real"] = {{"mean", distance.to_real->value}, {"se", distance.to_real->se}};
  return result;
}

nlohmann::json to_json(const std::array<SwapMeasures, kSwaps.size()>& swaps) {
  nlohmann::json result;
  for (const Swap swap : kSwaps) {
    const SwapMeasures& own = swaps[static_cast<std::size_t>(swap)];
    result[std::string(name_of(swap))] = {
        {"inside", to_json(own.inside)}, {"selectivity", to_json(own.selectivity)}, {"change", own.change}};
  }
  return result;
}

nlohmann::json to_json(const Effect& effect) {
  nlohmann::json result = flow::to_json(effect.flow);
  result["flips"] = to_json(effect.flips);
  result["copies"] = to_json(effect.copies);
  return result;
}

nlohmann::json to_json(const SetEffect& effect) {
  nlohmann::json result = to_json(effect.own);
  result["random"] = flow::to_json(effect.random);
  nlohmann::json kept = nlohmann::json::array();
  for (std::size_t i = 0; i < effect.scaled.factors.size(); ++i) {
    kept.push_back(to_json(effect.scaled.kept[i]));
    kept.back()["factor"] = effect.scaled.factors[i];
  }
  result["kept"] = kept;
  return result;
}

}  // namespace

nlohmann::json to_json(const ModuleStudy& study) {
  nlohmann::json result = to_json(study.measured);
  result["layer"] = study.layer;
  result["channels"] = std::ssize(study.modules.labels);
  result["originals"] = study.encoded ? "images" : "prior";
  result["pairs"] = study.pairs;
  result["relative_error"] = study.relative_error;
  result["rank"] = study.modules.rank();
  result["ranks"] = nlohmann::json::array();
  for (const RankStability& rank : study.ranks) {
    result["ranks"].push_back(to_json(rank.halves));
    result["ranks"].back()["rank"] = rank.rank;
    if (rank.rank == study.modules.rank()) result["halves"] = to_json(rank.halves);
  }
  result["silent"] = study.modules.channels_of(-1);
  for (std::int64_t m = 0; m < study.modules.rank(); ++m) {
    const auto place = static_cast<std::size_t>(m);
    nlohmann::json own = {{"channels", study.modules.channels_of(m)},
                          {"swaps", to_json(study.measured.of_modules[place])}};
    if (study.effects) own["flow"] = to_json(study.effects->modules[place]);
    result["modules"].push_back(own);
  }
  if (study.untrained) {
    result["untrained"] = to_json(study.untrained->measured);
    result["untrained"]["halves"] = to_json(study.untrained->halves);
  }
  if (study.reencoding) {
    result["reencoding"]["originals"] = to_json(study.reencoding->originals);
    for (const Swap swap : kSwaps)
      result["reencoding"][std::string(name_of(swap))] =
          to_json(study.reencoding->swaps[static_cast<std::size_t>(swap)]);
  }
  if (study.distances) {
    nlohmann::json& distances = result["frechet"];
    distances = {{"images", study.distances->images}, {"originals", to_json(study.distances->originals)}};
    for (const Swap swap : kSwaps)
      distances[std::string(name_of(swap))] = to_json(study.distances->swaps[static_cast<std::size_t>(swap)]);
  }
  if (study.effects) {
    result["flow"]["all"] = to_json(study.effects->all);
    result["flow"]["channels"] = nlohmann::json::array();
    for (const flow::FlowValue& value : study.effects->channels)
      result["flow"]["channels"].push_back(flow::to_json(value));
    if (study.effects->channels.empty()) result["flow"].erase("channels");
    for (const flow::FlowValue& value : study.effects->latents)
      result["flow"]["latents"].push_back(flow::to_json(value));
  }
  return result;
}

}  // namespace whence::kinds
