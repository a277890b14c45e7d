#include "explain/gce/step.h"

#include <torch/csrc/autograd/autograd.h>

#include "models/train/vae_step.h"
#include "whence/core/random.h"
#include "whence/models/train/vae_loss.h"
#include "whence/platform/device.h"
#include "whence/platform/exchange.h"
#include "whence/platform/parts.h"

namespace whence::gce {
namespace {

bool asks_classifier(const Training& options) {
  return options.causal > 0 && (options.causal_weight > 0 || options.leak_penalty > 0);
}

bool keeps_answers(const Training& options) { return options.answer_weight > 0; }

/// Of the class probabilities that the classifier gives to images and to their reconstructions.
at::Tensor divergence_of(const models::Classifier& classifier, const at::Tensor& images,
                         const at::Tensor& logits_of_reconstructions) {
  at::Tensor answers;
  {
    const at::NoGradGuard no_grad;
    answers = classifier.logits(images).softmax(1);
  }
  return answer_divergence(answers, logits_of_reconstructions.log_softmax(1));
}

}  // namespace

Step::Step(const nn::Network& encoder, const nn::Network& decoder, const models::Classifier& classifier,
           LabelModel* labels, const Manifold* manifold, const Training& options, const at::Tensor& images,
           std::int64_t index)
    : encoder_(encoder),
      decoder_(decoder),
      classifier_(classifier),
      labels_(labels),
      manifold_(options.manifold_weight > 0 ? manifold : nullptr),
      options_(options),
      images_(images) {
  Generator generator = models::step_generator(options.seed, index);
  noise_ = at::randn({images.size(0), options.causal + options.noncausal}, generator, draws_of(generator))
               .to(images.device());
  if (asks_classifier(options) && options.effect.latents == Latents::prior)
    draws_ = draw_causal(options.causal, options.noncausal, options.effect, generator).to(images.device());
  const bool one =
      !images.is_cpu() || ((asks_classifier(options) || keeps_answers(options)) && !classifier.network());
  const std::int64_t rows = draws_ ? std::min(images.size(0), draws_->latents.size(0)) : images.size(0);
  const std::int64_t parts = one ? 1 : parts_for(rows);
  for (std::int64_t part = 0; part < parts; ++part)
    dropout_.push_back(models::dropout_generator(options.seed, index, part));
  parts_.resize(dropout_.size());
  exchange_.emplace(parts);
}

StepLoss Step::run(nn::Optimizer& optimizer) {
  forward();
  StepLoss loss;
  const at::Tensor of_probabilities = draws_ ? join(*draws_, loss) : at::Tensor();
  optimizer.set_gradients(backward(of_probabilities, optimizer.parameters()));
  for (const Part& part : parts_) {
    models::add_share(loss.sse, part.sse);
    models::add_share(loss.kl, part.encoded.kl);
    models::add_share(loss.answers, part.answers);
    models::add_share(loss.departure, part.departure);
  }
  if (loss.answers.defined()) models::add_share(loss.total, options_.answer_weight * loss.answers);
  if (loss.departure.defined()) models::add_share(loss.total, options_.manifold_weight * loss.departure);
  models::add_share(loss.total, options_.lambda * (loss.sse + options_.kl_weight * loss.kl));
  return loss;
}

at::Tensor Step::own_rows(const at::Tensor& all, std::int64_t part) const {
  const Rows rows = part_of(all.size(0), part, static_cast<std::int64_t>(parts_.size()));
  return all.narrow(0, rows.first, rows.count);
}

/// Threads meet between encoding and decoding only where the draws are made of all images' latents.
void Step::forward() {
  if (draws_ || !asks_classifier(options_)) {
    run_parts(*exchange_, [&](std::int64_t part) {
      encode(part);
      decode(part);
    });
    return;
  }
  run_parts(*exchange_, [&](std::int64_t part) { encode(part); });
  std::vector<at::Tensor> latents;
  for (const Part& part : parts_) latents.push_back(part.encoded.latents.detach());
  posterior_ = at::cat(latents).requires_grad_();
  draws_ = draw_causal(options_.causal, options_.noncausal, options_.effect, posterior_);
  run_parts(*exchange_, [&](std::int64_t part) { decode(part); });
}

nn::Execution Step::execution(std::int64_t part) {
  return {
      options_.precision, /*training=*/true, &dropout_[static_cast<std::size_t>(part)], {&*exchange_, part}};
}

double Step::share(std::int64_t count) const {
  return static_cast<double>(count) / static_cast<double>(images_.size(0));
}

void Step::encode(std::int64_t part) {
  const at::Tensor images = own_rows(images_, part);
  parts_[static_cast<std::size_t>(part)].encoded =
      models::encode(encoder_, images, own_rows(noise_, part), share(images.size(0)), execution(part));
}

/// Reconstructions and draws in one pass; the classifier sees the reconstructions only where its answers count.
void Step::decode(std::int64_t part) {
  const at::Tensor images = own_rows(images_, part);
  const std::int64_t count = images.size(0);
  Part& own = parts_[static_cast<std::size_t>(part)];
  std::vector<at::Tensor> latents;
  latents.reserve(2);
  latents.push_back(own.encoded.latents.detach());
  if (draws_) latents.push_back(own_rows(draws_->latents.detach(), part));
  own.decoded = at::cat(latents).requires_grad_();
  const at::Tensor decoded = decoder_.forward(own.decoded, execution(part));
  own.sse = share(count) * models::squared_error(decoded.narrow(0, 0, count), images);
  const std::int64_t draws = decoded.size(0) - count;
  if (manifold_ != nullptr && draws > 0)
    own.departure = static_cast<double>(draws) / static_cast<double>(draws_->latents.size(0)) *
                    departure(*manifold_, decoded.narrow(0, count, draws), options_.precision);
  const std::int64_t first = keeps_answers(options_) ? 0 : count, judged = decoded.size(0) - first;
  if (judged == 0) return;
  const at::Tensor logits = classifier_.logits(decoded.narrow(0, first, judged));
  if (keeps_answers(options_))
    own.answers = share(count) * divergence_of(classifier_, images, logits.narrow(0, 0, count));
  if (draws_) own.probabilities = logits.narrow(0, count - first, draws).softmax(1);
}

at::Tensor Step::join(const CausalDraws& draws, StepLoss& loss) const {
  std::vector<at::Tensor> all;
  for (const Part& part : parts_) all.push_back(part.probabilities.detach());
  const at::Tensor probabilities = at::cat(all).requires_grad_();
  const at::Tensor causal = labels_ != nullptr ? variational_effect(draws, probabilities, *labels_)
                                               : causal_effect(draws, probabilities);
  at::Tensor total = -options_.causal_weight * causal;
  models::add_share(loss.causal, causal);
  if (options_.leak_penalty > 0) {
    const at::Tensor leak = leaked_effect(draws, probabilities);
    total = total + options_.leak_penalty * leak;
    models::add_share(loss.leak, leak);
  }
  models::add_share(loss.total, total);
  if (labels_ == nullptr) return torch::autograd::grad({total}, {probabilities}).front();
  std::vector<at::Tensor> sought = labels_->optimizer.parameters();
  sought.push_back(probabilities);
  std::vector<at::Tensor> gradients = torch::autograd::grad({total}, sought);
  const at::Tensor of_probabilities = gradients.back();
  gradients.pop_back();
  labels_->optimizer.set_gradients({gradients});
  return of_probabilities;
}

std::vector<std::vector<at::Tensor>> Step::backward(const at::Tensor& of_probabilities,
                                                    const std::vector<at::Tensor>& parameters) {
  const auto split = parameters.begin() + static_cast<std::ptrdiff_t>(encoder_.parameters().size());
  const std::vector<at::Tensor> encoders(parameters.begin(), split), decoders(split, parameters.end());
  std::vector<std::vector<at::Tensor>> gradients(parts_.size());
  if (!draws_ || !posterior_.defined()) {
    run_parts(*exchange_, [&](std::int64_t part) {
      const at::Tensor of_latents = backward_decoder(part, of_probabilities, decoders);
      gradients[static_cast<std::size_t>(part)] = backward_encoder(part, of_latents, encoders);
    });
    return gradients;
  }
  std::vector<at::Tensor> own(parts_.size()), of_draws(parts_.size());
  run_parts(*exchange_, [&](std::int64_t part) {
    own[static_cast<std::size_t>(part)] = backward_decoder(part, of_probabilities, decoders);
  });
  for (std::size_t part = 0; part < parts_.size(); ++part) of_draws[part] = parts_[part].of_draws;
  const at::Tensor of_posterior =
      torch::autograd::grad({draws_->latents}, {posterior_}, {at::cat(of_draws)}).front() + at::cat(own);
  run_parts(*exchange_, [&](std::int64_t part) {
    gradients[static_cast<std::size_t>(part)] =
        backward_encoder(part, own_rows(of_posterior, part), encoders);
  });
  return gradients;
}

at::Tensor Step::backward_decoder(std::int64_t part, const at::Tensor& of_probabilities,
                                  const std::vector<at::Tensor>& parameters) {
  Part& own = parts_[static_cast<std::size_t>(part)];
  at::Tensor of_images = options_.lambda * own.sse;
  if (own.answers.defined()) of_images = of_images + options_.answer_weight * own.answers;
  if (own.departure.defined()) of_images = of_images + options_.manifold_weight * own.departure;
  std::vector<at::Tensor> ends = {of_images}, of_ends = {at::ones_like(of_images)};
  if (draws_) {
    ends.push_back(own.probabilities);
    of_ends.push_back(own_rows(of_probabilities, part));
  }
  std::vector<at::Tensor> sought = parameters;
  sought.push_back(own.decoded);
  own.of_decoder = torch::autograd::grad(ends, sought, of_ends);
  const at::Tensor of_decoded = own.of_decoder.back();
  own.of_decoder.pop_back();
  const std::int64_t images = own.encoded.latents.size(0);
  own.of_draws = of_decoded.narrow(0, images, of_decoded.size(0) - images);
  return of_decoded.narrow(0, 0, images);
}

std::vector<at::Tensor> Step::backward_encoder(std::int64_t part, const at::Tensor& of_latents,
                                               const std::vector<at::Tensor>& parameters) {
  Part& own = parts_[static_cast<std::size_t>(part)];
  std::vector<at::Tensor> gradients =
      models::encoder_gradients(own.encoded, options_.lambda * options_.kl_weight, of_latents, parameters);
  gradients.insert(gradients.end(), own.of_decoder.begin(), own.of_decoder.end());
  return gradients;
}

}  // namespace whence::gce
