// One step of training a generative causal explanation.
#pragma once

#include <optional>
#include <vector>

#include "models/train/vae_step.h"
#include "whence/core/random.h"
#include "whence/explain/gce/label_model.h"
#include "whence/explain/gce/manifold.h"
#include "whence/explain/gce/train.h"
#include "whence/nn/training/optimizer.h"

namespace whence::gce {

/// The objective of one step, and its terms, float64 scalars where the images lie; a term without a weight stays undefined.
struct StepLoss {
  at::Tensor total, sse, kl, causal, leak, answers, departure;

  nn::Readings readings() const {
    nn::Readings readings;
    const auto add = [&](const char* name, const at::Tensor& value) {
      if (value.defined()) readings.emplace_back(name, value);
    };
    add("C", causal);
    add("leak", leak);
    add("answers", answers);
    add("departure", departure);
    add("SSE", sse);
    add("KL", kl);
    add("loss", total);
    return readings;
  }
};

/// One step's objective and its gradients. The batch and the draws are cut into parts that are computed side by side
/// and meet once: the causal terms need the probabilities of all draws.
class Step {
 public:
  /// What it is given must outlive it. The draws depend on the seed and `index` alone. `labels`: nullptr when p(y | alpha)
  /// is averaged; `manifold`: when its weight is 0.
  Step(const nn::Network& encoder, const nn::Network& decoder, const models::Classifier& classifier,
       LabelModel* labels, const Manifold* manifold, const Training& options, const at::Tensor& images,
       std::int64_t index);

  /// Gives the optimizer, and that of the label model, the gradients; does not make their steps.
  StepLoss run(nn::Optimizer& optimizer);

 private:
  /// What a thread does: it reconstructs some of the images and asks the classifier about some of the draws, and about the
  /// reconstructions where its answers to them count.
  struct Part {
    models::Encoded encoded;  ///< its images
    at::Tensor decoded;       ///< what the decoder is given: these and the draws, without the encoder's graph
    at::Tensor sse;           ///< its share of the batch's mean
    at::Tensor answers;       ///< its share of answer_divergence; undefined without a weight
    at::Tensor departure;     ///< its share of the draws'; undefined without a weight
    at::Tensor probabilities;            ///< of its draws; undefined when the classifier is not asked
    std::vector<at::Tensor> of_decoder;  ///< gradients in the decoder's parameters
    at::Tensor of_draws;                 ///< gradient in its draws
  };

  at::Tensor own_rows(const at::Tensor& all, std::int64_t part) const;
  nn::Execution execution(std::int64_t part);
  /// Of the batch that so many images are.
  double share(std::int64_t count) const;
  void encode(std::int64_t part);
  void decode(std::int64_t part);
  void forward();
  /// Adds the terms that need all draws, and the label model's gradients; returns the objective's gradient in the
  /// draws' probabilities.
  at::Tensor join(const CausalDraws& draws, StepLoss& loss) const;
  /// The gradients in all parameters, by part.
  std::vector<std::vector<at::Tensor>> backward(const at::Tensor& of_probabilities,
                                                const std::vector<at::Tensor>& parameters);
  /// Returns the gradient in the latents of the part's images.
  at::Tensor backward_decoder(std::int64_t part, const at::Tensor& of_probabilities,
                              const std::vector<at::Tensor>& parameters);
  /// Returns the part's gradients, the decoder's after the encoder's.
  std::vector<at::Tensor> backward_encoder(std::int64_t part, const at::Tensor& of_latents,
                                           const std::vector<at::Tensor>& parameters);

  const nn::Network &encoder_, &decoder_;
  const models::Classifier& classifier_;
  LabelModel* labels_;
  const Manifold* manifold_;
  const Training& options_;
  at::Tensor images_, noise_;
  at::Tensor posterior_;              ///< the images' latents, when the draws are made of them
  std::optional<CausalDraws> draws_;  ///< of the posterior only once the images are encoded
  std::vector<Generator> dropout_;    ///< one for each part
  std::vector<Part> parts_;
  std::optional<Exchange> exchange_;  ///< where they meet
};

}  // namespace whence::gce
