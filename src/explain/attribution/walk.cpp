#include "explain/attribution/walk.h"

#include "whence/core/error.h"

namespace whence::attribution {

at::Tensor start_with_one(const at::Tensor& logits, const at::Tensor& target, Score) {
  return at::zeros_like(logits).scatter(1, target.unsqueeze(1), 1);
}

at::Tensor start_with_gradient(const at::Tensor& logits, const at::Tensor& target, Score score) {
  const at::Tensor one = start_with_one(logits, target, score);
  if (score == Score::logit) return one;
  const at::Tensor p = logits.softmax(1);
  return p.gather(1, target.unsqueeze(1)) * (one - p);
}

at::Tensor start_with_score(const at::Tensor& logits, const at::Tensor& target, Score score) {
  return logits * start_with_gradient(logits, target, score);
}

nn::Network network_of_products(const models::Classifier& classifier) {
  const nn::Network& network = *classifier.network();
  return network.mixes_samples() ? network.with_merged_norms() : network;
}

const nn::Layer& last_weights(const nn::Network& network, std::string_view method) {
  const std::vector<nn::Layer>& layers = network.layers();
  std::vector<bool> needed(layers.size(), false);
  needed[network.outputs().front()] = true;
  for (nn::LayerId id = layers.size(); id-- > 0;) {
    if (!needed[id]) continue;
    const nn::Op& op = layers[id].op;
    if (std::holds_alternative<nn::Linear>(op) || std::holds_alternative<nn::Conv2d>(op)) return layers[id];
    for (const nn::LayerId input : layers[id].inputs) needed[input] = true;
  }
  fail_usage("{} needs a layer with weights, but network \"{}\" has none", method, network.name());
}

Attribution walk_to_image(const nn::Network& network, const Request& request, const nn::Rules& rules,
                          const StartOf& start, const Options& options) {
  const at::Tensor& x = request.x;
  const at::Tensor values = at::empty_like(x), scores = at::empty({x.size(0)}, x.options()),
                   given = at::empty_like(scores);
  in_passes(request.classifier, x.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    const at::NoGradGuard no_grad;
    const at::Tensor target = request.target.narrow(0, first, count);
    const std::vector<at::Tensor> activations =
        network.activations(x.narrow(0, first, count), {.precision = request.classifier.precision()});
    const nn::LayerId output = network.outputs().front();
    const at::Tensor& logits = activations[output];
    const at::Tensor relevance = start(logits, target, options.score);
    const nn::Relevance found = network.walk_back(activations, {output, relevance}, rules);
    given.narrow(0, first, count).copy_(relevance.sum(1));
    values.narrow(0, first, count).copy_(found.input());
    scores.narrow(0, first, count).copy_(of_target(logits, target, options.score));
  });
  return {values, scores, excess(values, given), {}};
}

}  // namespace whence::attribution
