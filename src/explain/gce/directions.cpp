#include "whence/explain/gce/directions.h"

#include <torch/csrc/autograd/autograd.h>

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/gce/in_front.h"
#include "whence/nn/training/adam.h"
#include "whence/platform/device.h"

namespace whence::gce {
namespace {

using at::Tensor;

void check(const models::Decoder& decoder, const DirectionOptions& options) {
  if (options.causal < 1 || options.causal > decoder.latents())
    fail_usage("{} causal directions do not fit a decoder of {} latents; give 1 to {}", options.causal,
               decoder.latents(), decoder.latents());
}

/// At draws of N(0, I), the gradients of each class's logit less the mean over classes: (samples, M, D), float64.
Tensor gradients(const models::Decoder& decoder, const models::Classifier& classifier,
                 const DirectionOptions& options, at::Generator& generator) {
  const Tensor draws =
      at::randn({options.samples, decoder.latents()}, generator, draws_of(generator)).to(decoder.device());
  std::vector<Tensor> parts;
  flow::for_batches(options.samples, options.batch, [&](std::int64_t first, std::int64_t count) {
    const at::AutoGradMode recorded(true);
    const Tensor z = draws.narrow(0, first, count).detach().clone().requires_grad_();
    const Tensor logits = classifier.logits(decoder.decode(z));
    if (!logits.requires_grad())
      fail_usage("causal directions need gradients, which this decoder or classifier does not give");
    const Tensor centred = logits - logits.mean(1, true);
    std::vector<Tensor> of_classes;
    for (std::int64_t y = 0; y < logits.size(1); ++y)
      of_classes.push_back(torch::autograd::grad({centred.select(1, y).sum()}, {z}, {}, /*retain_graph=*/true)
                               .front()
                               .to(at::kDouble));
    parts.push_back(at::stack(of_classes, 1).detach());
  });
  return at::cat(parts);
}

/// The `count` main directions of rows (n, D), (D, count).
Tensor main_directions(const Tensor& rows, std::int64_t count) {
  const Tensor moments = rows.t().mm(rows) / static_cast<double>(rows.size(0));
  return std::get<1>(at::linalg_eigh(moments)).flip(1).narrow(1, 0, count);
}

/// Orthonormal columns that span the same space.
Tensor orthonormal(const Tensor& columns) { return std::get<0>(at::linalg_qr(columns)); }

double flow_of(const models::Decoder& decoder, const models::Classifier& classifier, const Tensor& directions,
               const DirectionOptions& options, const at::Generator& generator) {
  const std::unique_ptr<models::Decoder> own = in_front(rotation_network(rotation_of(directions)), decoder);
  flow::Factors alpha;
  for (std::int64_t i = 0; i < directions.size(1); ++i) alpha.push_back(i);
  flow::FlowOptions flow;
  flow.outer = 2 * options.outer;
  flow.inner = 2 * options.inner;
  at::Generator draws = generator.clone();  // the same draws for all that are compared
  return flow::information_flow(*own, classifier, alpha, flow, draws).nats;
}

/// I(alpha; Y) from crossed draws, differentiable in the directions.
Tensor flow_term(const models::Decoder& decoder, const models::Classifier& classifier,
                 const Tensor& directions, const DirectionOptions& options, at::Generator& generator) {
  const std::int64_t causal = directions.size(1), latents = directions.size(0);
  const Tensor alpha =
      at::randn({options.outer, causal}, generator, draws_of(generator)).to(directions.options());
  const Tensor noise =
      at::randn({options.inner, latents}, generator, draws_of(generator)).to(directions.options());
  const Tensor rest = noise - noise.mm(directions).mm(directions.t());
  const Tensor codes = (alpha.mm(directions.t()).unsqueeze(1) + rest.unsqueeze(0)).flatten(0, 1);
  const Tensor probabilities = at::softmax(classifier.logits(decoder.decode(codes)), 1);
  const flow::Estimator estimator{flow::Sampling::crossed, flow::Placement::independent,
                                  flow::Correction::delta};
  return flow::mutual_information(probabilities.view({options.outer, options.inner, -1}), estimator);
}

}  // namespace

at::Tensor mean_gradient_directions(const models::Decoder& decoder, const models::Classifier& classifier,
                                    const DirectionOptions& options, at::Generator& generator) {
  check(decoder, options);
  const Tensor all = gradients(decoder, classifier, options, generator), mean = all.mean(0);
  const std::int64_t of_means = std::min(options.causal, mean.size(0) - 1), more = options.causal - of_means;
  const Tensor first = main_directions(mean, of_means);
  if (more == 0) return first.to(at::kFloat);
  const Tensor rows = all.flatten(0, 1), rest = rows - rows.mm(first).mm(first.t());
  return orthonormal(at::cat({first, main_directions(rest, more)}, 1)).to(at::kFloat);
}

at::Tensor main_gradient_directions(const models::Decoder& decoder, const models::Classifier& classifier,
                                    const DirectionOptions& options, at::Generator& generator) {
  check(decoder, options);
  const Tensor all = gradients(decoder, classifier, options, generator);
  return main_directions(all.flatten(0, 1), options.causal).to(at::kFloat);
}

at::Tensor refined_directions(const models::Decoder& decoder, const models::Classifier& classifier,
                              const at::Tensor& start, const DirectionOptions& options,
                              at::Generator& generator, const ProgressCallback& progress) {
  check(decoder, options);
  Tensor directions = start;
  // On the columns; each step ends with their QR decomposition.
  nn::AdamSearch adam(directions, {.beta2 = 0.99});
  for (std::int64_t step = 1; step <= options.steps; ++step) {
    Tensor gradient;
    {
      const at::AutoGradMode recorded(true);
      const Tensor variable = directions.detach().clone().requires_grad_();
      const Tensor flow = flow_term(decoder, classifier, variable, options, generator);
      gradient = torch::autograd::grad({flow}, {variable}).front();
      if (progress) progress({"directions", step, options.steps, {{"C", flow.item<double>()}}});
    }
    gradient = gradient - directions.mm(directions.t()).mm(gradient);  // along the manifold
    const double done = static_cast<double>(step - 1) / static_cast<double>(options.steps);
    directions = orthonormal(adam.moved(directions, gradient, -options.learning_rate * (1 - done)));
  }
  return directions;
}

at::Tensor causal_directions(const models::Decoder& decoder, const models::Classifier& classifier,
                             const DirectionOptions& options, at::Generator& generator,
                             const ProgressCallback& progress) {
  const Tensor mean = mean_gradient_directions(decoder, classifier, options, generator),
               main = main_gradient_directions(decoder, classifier, options, generator);
  const at::NoGradGuard no_grad;
  const auto value = [&](const Tensor& directions) {
    return flow_of(decoder, classifier, directions, options, generator);
  };
  const Tensor start = value(mean) >= value(main) ? mean : main;
  if (options.steps == 0) return start;
  const Tensor better = refined_directions(decoder, classifier, start, options, generator, progress);
  return value(better) > value(start) ? better : start;
}

at::Tensor rotation_of(const at::Tensor& directions) {
  const Tensor columns = directions.to(at::kDouble);
  const Tensor whole = std::get<0>(at::linalg_qr(columns, "complete"));
  // A QR decomposition may turn a column round.
  return at::cat({columns, whole.narrow(1, columns.size(1), columns.size(0) - columns.size(1))}, 1)
      .to(directions.scalar_type());
}

at::Tensor ordered_rotation(const models::Decoder& decoder, const models::Classifier& classifier,
                            const at::Tensor& directions, const DirectionOptions& options,
                            at::Generator& generator) {
  const Tensor rows = gradients(decoder, classifier, options, generator).flatten(0, 1);
  const Tensor whole = rotation_of(directions).to(rows.options());
  const std::int64_t first = directions.size(1);
  const Tensor rest = whole.narrow(1, first, whole.size(1) - first);
  const Tensor ordered = rest.mm(main_directions(rows.mm(rest), rest.size(1)));
  return at::cat({directions.to(rows.options()), ordered}, 1).to(directions.scalar_type());
}

}  // namespace whence::gce
