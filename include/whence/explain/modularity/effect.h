// Which module of a generator moves a classifier.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <vector>

#include "whence/core/progress.h"
#include "whence/explain/flow/estimators.h"
#include "whence/explain/modularity/influence.h"
#include "whence/explain/modularity/measures.h"
#include "whence/models/roles.h"

namespace whence::modularity {

/// What a set of channels does to the classifier's answer Y when other originals give them their values.
struct Effect {
  /// I(set; Y) in nats: the channels A of the set and the rest R of the generator come from independent originals, and
  ///   I(A; Y) = E_A sum_y p(y|A) log p(y|A) - sum_y p(y) log p(y),   p(y|A) = E_R p(y | image of A and R).
  /// All channels together have the flow of the whole image.
  flow::FlowValue flow;
  Measured flips;  ///< share of hybrids whose most probable class is not that of their first original
  Measured
      copies;  ///< share of hybrids with the second original's class, where the originals' classes differ
};

struct EffectOptions {
  std::int64_t outer = 64, inner = 64;    ///< draws of A, and of R, which all of them share
  std::int64_t memory_bytes = 256 << 20;  ///< budget of a batch of hybrids
};

/// One effect for each set. Draws are shared by all sets, so that their differences are less noisy than each. Progress: stage
/// "information flow", one step a set. Errors: fewer than 2 x 2 draws (usage); a classifier of images of another shape;
/// NaN.
std::vector<Effect> effects(const Cut& cut, const models::Classifier& classifier,
                            const std::vector<Channels>& sets, const Originals& originals,
                            const EffectOptions& options, at::Generator& generator,
                            const ProgressCallback& progress = {});

/// How the answers change when the channels of a set are moved away from their mean over originals or towards it.
struct ScaledAnswers {
  std::vector<double> factors;  ///< 0 ablates, 1 changes nothing
  std::vector<Measured> kept;   ///< share of originals with the class that factor 1 gives
};
/// For each set.
std::vector<ScaledAnswers> scaled_answers(const Cut& cut, const models::Classifier& classifier,
                                          const std::vector<Channels>& sets, const at::Tensor& codes,
                                          const std::vector<double>& factors,
                                          std::int64_t memory_bytes = 256 << 20);

}  // namespace whence::modularity
