// What training and maps of explanation networks share.
#pragma once

#include "explain/attribution/walk.h"
#include "whence/explain/attribution/embedding.h"

namespace whence::attribution {

/// The layer that an explanation network reads, of the classifier's network. Errors (usage): no such layer.
nn::LayerId embedded_layer(const nn::Network& network, const std::string& name);

/// Trains one class's network on activations (T, D) and scores (T).
std::shared_ptr<const ExplanationNetwork> trained_explanation(const at::Tensor& activations,
                                                              const at::Tensor& scores, std::int64_t label,
                                                              const Options& options);

}  // namespace whence::attribution
