// All checks of flow/trust.h on what a run, or a set of model files, has.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "experiment/session.h"
#include "whence/explain/flow/trust.h"

namespace whence::kinds {

/// The explanation that is checked.
struct TrustSubject {
  const models::Encoder& encoder;
  const models::Decoder& decoder;
  const models::Classifier& classifier;
  const data::Dataset& test;
  std::int64_t causal;
  flow::FlowValue alpha, beta;  ///< as measured before
  std::uint64_t seed;
};
struct TrustOptions {
  std::int64_t randomized = 5;  ///< classifiers with random weights; 0: leaves that check out
  std::string other_run;        ///< whose factors are compared on the subject's test images; empty: none
};

/// {"leak": share, "reencoding": share with "images", "randomization": {...} or {"left_out": why},
/// "seeds": {...} when another run is given}. Errors: another run that is
/// not trained, of an autoencoder or of other images; those of flow/trust.h.
nlohmann::json check_trust(const experiment::Kinds& kinds, const TrustSubject& subject,
                           const TrustOptions& options, const ProgressCallback& progress = {});

}  // namespace whence::kinds
