// Causes in a frozen generator that are no straight directions: an invertible map in front of it that keeps the prior.
//
// z = R T(u) with u = (alpha, beta), R orthogonal, and T a chain of couplings. A coupling divides the factors into A, which holds alpha and one half of
// the betas that take part, and B, the other half, and turns A by an amount that B decides:
//     T(A, B) = (H(w(B)) H(c) A, B),      H(v) x = x - 2 v (v . x) / |v|^2   (a reflection; Householder 1958),
// w a small network, c constant. Given B, a normal A ~ N(0, I) that is turned is N(0, I) again. So z ~ N(0, I) whenever u is, exactly and for any weights:
// the images are still those of the generator, and alpha and beta are independent. Reflections are their own inverse, so alpha is a known function of z.
// This makes the training cheap: alpha of a code that was drawn and answered once can be computed for any weights, and
//     I(alpha; Y) >= H(Y) + E log q(Y | alpha(z))      (Barber and Agakov 2003)
// grows with w and q, without another look at generator or classifier.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "whence/core/progress.h"
#include "whence/models/roles.h"
#include "whence/nn/graph/network.h"
#include "whence/nn/training/parameters.h"

namespace whence::gce {

struct LatentMapOptions {
  std::int64_t moved = 48;     ///< factors that take part: alpha, and the betas that move the classifier most
  std::int64_t couplings = 6;  ///< their halves take turns
  std::int64_t hidden = 64;    ///< units of each w
  std::int64_t draws = 50'000;   ///< codes that are answered
  std::int64_t held_out = 5000;  ///< of them, that choose between states of the training
  std::int64_t steps = 3000;
  std::int64_t batch = 512;  ///< codes of a step, and of a batch that goes through generator and classifier
  double learning_rate = 3e-3;
  double weight_decay = 0.01;
};

class LatentMap {
 public:
  /// Starts as z = rotation u, and stays so without couplings. rotation: (D, D) orthogonal, whose first `causal` columns belong to alpha; the `moved`
  /// first take part (at most D). Error (usage): fewer than `causal` + 2 of them.
  LatentMap(const at::Tensor& rotation, std::int64_t causal, const LatentMapOptions& options,
            at::Generator& generator);

  /// z of factors u, (N, D) each; and back. Differentiable.
  at::Tensor codes(const at::Tensor& factors) const;
  at::Tensor factors(const at::Tensor& codes) const;
  /// `codes` as a network of known operations, to be saved.
  nn::Network network() const;

  std::int64_t causal() const { return causal_; }
  nn::Parameters& parameters() { return parameters_; }
  const nn::Parameters& parameters() const { return parameters_; }

  void save(const std::filesystem::path& file) const;
  /// Error (file named): not what `save` wrote.
  static LatentMap load(const std::filesystem::path& file);

 private:
  LatentMap() : parameters_("latent map") {}
  struct Coupling {
    at::Tensor constant;                                  ///< c, (A), of unit length
    at::Tensor basis;                                     ///< (A + 1, A): the w of what the network puts out
    at::Tensor hidden, hidden_bias, output, output_bias;  ///< of the network
  };
  /// With the weights' first values, which become parameters.
  void add_coupling(Coupling coupling);
  /// The parts that A and B are made of: alpha, both halves of the betas, and the rest.
  std::vector<at::Tensor> parts(const at::Tensor& factors) const;
  at::Tensor turned(const at::Tensor& factors, std::size_t index, bool back) const;
  at::Tensor decided(const Coupling& coupling, const at::Tensor& b) const;
  struct WrittenMap;
  void add_turn(WrittenMap& written, std::size_t index) const;

  std::int64_t causal_ = 0;
  std::array<std::int64_t, 2> halves_ = {0, 0};
  std::int64_t rest_ = 0;
  at::Tensor rotation_;
  nn::Parameters parameters_;
  std::vector<Coupling> couplings_;
};

/// The map whose alpha tells most about the classifier's answers, from `rotation`, whose first `causal` columns are directions that move the
/// classifier. The state with the largest bound on held-out codes is kept. Progress: stages "answers" and "latent map". Error as above.
LatentMap trained_latent_map(const models::Decoder& decoder, const models::Classifier& classifier,
                             const at::Tensor& rotation, std::int64_t causal, const LatentMapOptions& options,
                             at::Generator& generator, const ProgressCallback& progress = {});

}  // namespace whence::gce
