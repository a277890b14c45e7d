// Information flow of a trained explanation: which latent factors move the classifier.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "whence/core/progress.h"
#include "whence/explain/flow/estimators.h"
#include "whence/models/roles.h"

namespace whence::flow {

/// Indices of latents; a set.
using Factors = std::vector<std::int64_t>;

/// Where the flow of a single factor comes from.
/// own: each factor has outer x inner draws of its own, in which its value is held while the rest is drawn.
/// shared: all factors have the same outer x inner draws, a Latin hypercube, and so cost what one costs. For each
/// factor they are sorted by it and cut into `outer` cells of equal probability; the draws of a cell are those of
/// the rest (as Plischke, Borgonovo and Smith 2013, "Global sensitivity measures from given data"). That is
/// I(cell of F; Y) <= I(F; Y): it misses what the factor does within a cell (docs/estimators.md: how little that is).
enum class FactorDraws { own, shared };

struct FlowOptions {
  std::int64_t outer = 200;  ///< draws of the factors
  std::int64_t inner = 200;  ///< draws of the rest for each
  FactorDraws factors = FactorDraws::own;
  Estimator estimator;                    ///< shared draws of the factors are always nested and stratified
  std::int64_t memory_bytes = 256 << 20;  ///< budget of a batch of activations
};

/// I(F; Y) in nats with its standard error. An empty set has no flow; all factors together need no inner draws.
/// Progress: stage "information flow", one step a batch. Error: a factor that the decoder does not have; a classifier that returns NaN.
FlowValue information_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                           const Factors& which, const FlowOptions& options, at::Generator& generator,
                           const ProgressCallback& progress = {});

/// I(F; Y) of each latent by itself, from draws that all share whatever options.factors is, and that come from a stream of
/// `seed`. Errors: as measure_flow.
std::vector<FlowValue> shared_flows(const models::Decoder& decoder, const models::Classifier& classifier,
                                    const FlowOptions& options, std::uint64_t seed);

struct FactorFlow {
  std::string name;  ///< "alpha_1", ..., "beta_1", ...
  bool causal = false;
  FlowValue flow;
};

struct FlowReport {
  FlowValue alpha, beta;            ///< of all causal, of all other factors
  std::vector<FactorFlow> factors;  ///< each on its own, causal ones first
  std::int64_t outer = 0, inner = 0;
  FactorDraws draws = FactorDraws::own;
};

/// The first `causal` latents are alpha. alpha, beta and every factor with draws of its own draw from their own streams
/// of `seed`; a set of one factor is not measured twice. Progress: stage "information flow", one step a batch.
/// Errors: as information_flow; causal outside 1 .. latents; fewer than 2x2 samples; shared draws and the jackknife,
/// which needs independent ones.
FlowReport measure_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                        std::int64_t causal, const FlowOptions& options, std::uint64_t seed,
                        const ProgressCallback& progress = {});

/// {"nats", "se"}
nlohmann::json to_json(const FlowValue& flow);
/// Error (nlohmann::json::exception): not what to_json gives.
void from_json(const nlohmann::json& json, FlowValue& flow);
/// {"alpha": {"nats", "se"}, "beta": {...}, "factors": [{"name", "causal", "nats", "se"}], "samples": [outer, inner],
/// "factor_draws": "own" or "shared"}
nlohmann::json to_json(const FlowReport& report);

std::string_view name_of(FactorDraws draws);

/// "alpha_1" .. "alpha_K", "beta_1" .. "beta_L".
std::vector<std::string> factor_names(std::int64_t causal, std::int64_t latents);

}  // namespace whence::flow
