// Walks from the logits back to the image.
#pragma once

#include <functional>
#include <string_view>

#include "explain/attribution/passes.h"
#include "whence/nn/graph/walk_back.h"

namespace whence::attribution {

/// The relevance that the logits (N, M) get.
using StartOf = std::function<at::Tensor(const at::Tensor& logits, const at::Tensor& target, Score score)>;

/// What each logit z adds to f to first order, z df/dz: of the logit score, the target's logit and 0 elsewhere.
at::Tensor start_with_score(const at::Tensor& logits, const at::Tensor& target, Score score);
/// 1 at the target, 0 elsewhere, whatever the score.
at::Tensor start_with_one(const at::Tensor& logits, const at::Tensor& target, Score score);
/// df/dlogits.
at::Tensor start_with_gradient(const at::Tensor& logits, const at::Tensor& target, Score score);

/// The classifier's network with its batch normalisations merged into the layers before them, whose products share relevance out
/// as a whole (Hui and Binder 2019).
nn::Network network_of_products(const models::Classifier& classifier);

/// The last layer with weights that the logits depend on. Error (usage): the network has none; names the method.
const nn::Layer& last_weights(const nn::Network& network, std::string_view method);

/// What the image gets under the rules, and f; `network` computes what the classifier computes. The completeness error is the
/// relevance of the image less that of the logits.
Attribution walk_to_image(const nn::Network& network, const Request& request, const nn::Rules& rules,
                          const StartOf& start, const Options& options);

}  // namespace whence::attribution
