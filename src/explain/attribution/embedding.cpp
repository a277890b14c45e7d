#include "explain/attribution/embedding.h"

#include <set>

#include "whence/core/error.h"

namespace whence::attribution {
namespace {

using at::Tensor;

const Tensor& images_to_learn_from(const Options& options) {
  return options.training.defined() ? options.training : options.references;
}

std::set<std::int64_t> classes_of(const Tensor& target) {
  std::set<std::int64_t> classes;
  for (std::int64_t i = 0; i < target.size(0); ++i) classes.insert(target[i].item<std::int64_t>());
  return classes;
}

/// Activations of a layer, (T, D), and logits of all images.
struct Seen {
  Tensor activations, logits;
};
Seen seen_by(const models::Classifier& classifier, const nn::Network& network, nn::LayerId layer,
             const Tensor& images, std::int64_t batch) {
  const nn::LayerId output = network.outputs().front();
  std::vector<Tensor> activations, logits;
  for (std::int64_t first = 0; first < images.size(0); first += batch) {
    const Tensor x = images.narrow(0, first, std::min(batch, images.size(0) - first));
    const std::vector<Tensor> found =
        network.activations(x, {layer, output}, {.precision = classifier.precision()});
    activations.push_back(found[0].flatten(1).to(at::kFloat));
    logits.push_back(found[1].to(at::kFloat));
  }
  return {at::cat(activations), at::cat(logits)};
}

/// Some images of one class in both networks.
struct Both {
  const nn::Network& network;
  nn::LayerId layer;
  const ExplanationNetwork& explanation;
  std::vector<Tensor> below, above;  ///< activations of the classifier and of the explanation network
};

/// Dimensions in their order, (N, n), times what a unit adds.
Tensor contributions_of(const Both& both) {
  const Tensor& dimensions = both.above[both.explanation.network.find("dimensions")];
  return dimensions.index_select(1, both.explanation.order) * both.explanation.weights;
}

Tensor explained_by(const Both& both) {
  const Tensor& prediction = both.above[both.explanation.network.find("prediction")];
  return both.explanation.mean + both.explanation.deviation * prediction.squeeze(1);
}

/// What the image gets from shares of the dimensions (N, n), in their order.
Tensor walked(const Both& both, const Tensor& shares) {
  const nn::Rules excitation(nn::rule("excitation"));
  const nn::Network& above = both.explanation.network;
  const Tensor start = at::zeros_like(shares).index_copy(1, both.explanation.order, shares);
  const nn::Relevance found = above.walk_back(both.above, {above.find("dimensions"), start}, excitation);
  const Tensor at_layer = found.input().view(both.below[both.layer].sizes());
  return both.network.walk_back(both.below, {both.layer, at_layer}, excitation).input();
}

Options with_networks(const Request& request, const Options& options) {
  const auto& trained = options.of<EmbeddingExplanation>().trained;
  for (const std::int64_t label : classes_of(request.target))
    if (!trained.contains(label))
      return with_explanation_networks(request.classifier, request.target, options);
  return options;
}

/// Calls body(rows, both) for the images of each class.
void in_classes(const Request& request, const Options& options,
                const std::function<void(const Tensor& rows, const Both& both)>& body) {
  const nn::Network network = network_of_products(request.classifier);
  const auto& own = options.of<EmbeddingExplanation>();
  const nn::LayerId layer = embedded_layer(network, own.layer);
  const at::NoGradGuard no_grad;
  for (const std::int64_t label : classes_of(request.target)) {
    const ExplanationNetwork& explanation = *own.trained.at(label);
    const Tensor all = (request.target == label).nonzero().squeeze(1);
    in_passes(request.classifier, all.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
      const Tensor rows = all.narrow(0, first, count);
      std::vector<Tensor> below =
          network.activations(request.x.index_select(0, rows), {.precision = request.classifier.precision()});
      const Tensor z = below[layer].flatten(1).to(at::kFloat) / explanation.scale;
      body(rows, {network, layer, explanation, std::move(below), explanation.network.activations(z)});
    });
  }
}

}  // namespace

nn::LayerId embedded_layer(const nn::Network& network, const std::string& name) {
  if (name.empty()) return last_weights(network, "embedding explanations").inputs.front();
  try {
    return network.find(name);
  } catch (const Error& error) {
    throw Error(error.what(), ExitCode::usage);
  }
}

Options with_explanation_networks(const models::Classifier& classifier, const at::Tensor& target,
                                  const Options& options) {
  const Tensor& images = images_to_learn_from(options);
  if (!images.defined() || images.size(0) < 2)
    fail_usage("embedding explanations learn from images of the data; give at least two");
  const nn::Network network = network_of_products(classifier);
  Options ready = options;
  auto& own = ready.of<EmbeddingExplanation>();
  const nn::LayerId layer = embedded_layer(network, own.layer);
  const at::NoGradGuard no_grad;
  const Seen seen = seen_by(classifier, network, layer, images, options.batch);
  for (const std::int64_t label : classes_of(target)) {
    if (own.trained.contains(label)) continue;
    const Tensor labels = at::full({images.size(0)}, label, target.options());
    own.trained[label] =
        trained_explanation(seen.activations, of_target(seen.logits, labels, options.score), label, options);
  }
  return ready;
}

EmbeddingMaps embedding_maps(const Request& request, const Options& options) {
  const Options ready = with_networks(request, options);
  const Tensor& x = request.x;
  const std::int64_t count = x.size(0), dimensions = options.of<EmbeddingExplanation>().dimensions;
  EmbeddingMaps result = {at::zeros({count, dimensions, x.size(1), x.size(2), x.size(3)}, x.options()),
                          at::zeros({count, dimensions}, x.options()), at::zeros({count}, x.options())};
  in_classes(request, ready, [&](const Tensor& rows, const Both& both) {
    std::vector<Tensor> maps;
    for (std::int64_t k = 0; k < dimensions; ++k) {
      const Tensor shares = at::zeros({rows.size(0), dimensions}, x.options());
      shares.select(1, k).fill_(1);
      maps.push_back(walked(both, shares));
    }
    result.maps.index_copy_(0, rows, at::stack(maps, 1));
    result.contributions.index_copy_(0, rows, contributions_of(both));
    result.explained.index_copy_(0, rows, explained_by(both));
  });
  return result;
}

Attribution embedding_explanation(const Request& request, const Options& options) {
  const auto& own = options.of<EmbeddingExplanation>();
  if (own.shown > own.dimensions)
    fail_usage("embedding_shown is {}, but the embedding has {} dimensions", own.shown, own.dimensions);
  const Options ready = with_networks(request, options);
  const Tensor& x = request.x;
  Tensor values = at::zeros_like(x), explained = at::zeros({x.size(0)}, x.options()),
         deviation = at::zeros_like(explained);
  in_classes(request, ready, [&](const Tensor& rows, const Both& both) {
    Tensor shares = contributions_of(both);
    if (own.shown > 0) {
      const Tensor place = at::arange(own.dimensions, rows.options());
      shares = shares * (place == own.shown - 1);
    }
    values.index_copy_(0, rows, walked(both, shares));
    explained.index_copy_(0, rows, explained_by(both));
    deviation.index_fill_(0, rows, both.explanation.deviation);
  });
  const Tensor scores = scores_of(request.classifier, x, request.target, options.score, options.batch);
  return {values, scores, {}, {}, ((explained - scores).abs() / deviation).to(at::kDouble)};
}

}  // namespace whence::attribution
