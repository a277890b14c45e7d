// All checks of gce/trust.h on what a run, or a set of model files, has.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "whence/explain/gce/trust.h"

namespace whence::run {

/// The explanation that is checked.
struct TrustSubject {
  const models::Encoder& encoder;
  const models::Decoder& decoder;
  const models::Classifier& classifier;  ///< in float32, for its weights are drawn anew
  const data::Dataset& test;
  std::int64_t causal;
  gce::FlowValue alpha, beta;  ///< as measured before
  std::uint64_t seed;
};
struct TrustOptions {
  std::int64_t randomized = 5;  ///< classifiers with random weights; 0: leaves that check out
  std::string other_run;        ///< whose factors are compared on the subject's test images; empty: none
};

/// {"leak": share, "reencoding": share with "images", "randomization": {...} or {"left_out": why},
/// "seeds": {...} when another run is given}. Errors: another run that is not trained or explains images of another
/// shape; those of gce/trust.h.
nlohmann::json check_trust(const TrustSubject& subject, const TrustOptions& options,
                           const ProgressCallback& progress = {});

}  // namespace whence::run
