// The training of a latent map: codes are drawn and answered once; then alpha learns to tell their answers.
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "explain/flow/classify.h"
#include "whence/explain/gce/latent_map.h"
#include "whence/nn/training/schedule.h"
#include "whence/nn/training/training_loop.h"
#include "whence/platform/device.h"

namespace whence::gce {
namespace {

using at::Tensor;

constexpr std::int64_t kTellerUnits = 64;
constexpr double kWarmup = 0.1;
constexpr std::int64_t kStates = 20;  ///< of a training that are compared

/// Codes and the classifier's answers to what the generator makes of them.
struct AnsweredCodes {
  Tensor codes, answers;  ///< (n, D), (n, M)

  AnsweredCodes at_rows(std::int64_t first, std::int64_t count) const {
    return {codes.narrow(0, first, count), answers.narrow(0, first, count)};
  }
};

AnsweredCodes answered_codes(const models::Decoder& decoder, const models::Classifier& classifier,
                             const LatentMapOptions& options, at::Generator& generator,
                             const ProgressCallback& progress) {
  const at::NoGradGuard no_grad;
  const Tensor codes =
      at::randn({options.draws, decoder.latents()}, generator, draws_of(generator)).to(decoder.device());
  std::vector<Tensor> answers;
  flow::for_batches(options.draws, options.batch, [&](std::int64_t first, std::int64_t count) {
    answers.push_back(flow::probabilities_of(classifier, decoder.decode(codes.narrow(0, first, count))));
    if (progress) progress({"answers", first + count, options.draws, {}});
  });
  return {codes, at::cat(answers).to(at::kFloat)};
}

/// q(y | alpha): two hidden layers.
class Teller {
 public:
  Teller(std::int64_t causal, std::int64_t classes, at::Generator& generator, at::Device device)
      : parameters_("teller") {
    const std::int64_t sizes[] = {causal, kTellerUnits, kTellerUnits, classes};
    for (int l = 0; l < 3; ++l) {
      const double deviation = 1 / std::sqrt(static_cast<double>(sizes[l]));
      const Tensor weight =
          deviation * at::randn({sizes[l + 1], sizes[l]}, generator, draws_of(generator)).to(device);
      weights_.push_back(parameters_.add(fmt::format("layer{}.weight", l), weight));
      biases_.push_back(
          parameters_.add(fmt::format("layer{}.bias", l), at::zeros({sizes[l + 1]}, weight.options())));
    }
  }

  /// (N, M).
  Tensor log_probabilities(const Tensor& alpha) const {
    Tensor x = at::tanh(at::linear(alpha, weights_[0], biases_[0]));
    x = at::tanh(at::linear(x, weights_[1], biases_[1]));
    return at::log_softmax(at::linear(x, weights_[2], biases_[2]), 1);
  }
  const nn::Parameters& parameters() const { return parameters_; }

 private:
  nn::Parameters parameters_;
  std::vector<Tensor> weights_, biases_;
};

/// - E log q(Y | alpha).
Tensor missing(const LatentMap& map, const Teller& teller, const AnsweredCodes& answered) {
  const Tensor alpha = map.factors(answered.codes).narrow(1, 0, map.causal());
  return -(answered.answers * teller.log_probabilities(alpha)).sum(1).mean();
}

nn::NamedTensors copied(const nn::NamedTensors& state) {
  nn::NamedTensors copy;
  for (const nn::NamedTensor& entry : state) copy.push_back({entry.name, entry.tensor.detach().clone()});
  return copy;
}

}  // namespace

LatentMap trained_latent_map(const models::Decoder& decoder, const models::Classifier& classifier,
                             const at::Tensor& rotation, std::int64_t causal, const LatentMapOptions& options,
                             at::Generator& generator, const ProgressCallback& progress) {
  LatentMap map(rotation.to(decoder.device(), at::kFloat), causal, options, generator);
  const AnsweredCodes all = answered_codes(decoder, classifier, options, generator, progress);
  const std::int64_t held = std::clamp<std::int64_t>(options.held_out, 1, options.draws / 2),
                     learned = options.draws - held;
  const AnsweredCodes judged = all.at_rows(learned, held);
  const Teller teller(causal, all.answers.size(1), generator, decoder.device());
  nn::Optimizer of_map(map.parameters(), nn::Adam{.weight_decay = options.weight_decay}),
      of_teller(teller.parameters(), nn::Adam{});
  double best = std::numeric_limits<double>::infinity();
  nn::NamedTensors best_state = copied(map.parameters().state());
  const std::int64_t between = std::max<std::int64_t>(1, options.steps / kStates);
  const auto step = [&](std::int64_t index) {
    const Tensor rows =
        at::randint(learned, {std::min(options.batch, learned)}, generator, draws_of(generator, at::kLong))
            .to(decoder.device());
    Tensor loss;
    {
      const at::AutoGradMode recorded(true);
      loss = missing(map, teller, {all.codes.index_select(0, rows), all.answers.index_select(0, rows)});
      std::vector<Tensor> wanted = of_map.parameters();
      wanted.insert(wanted.end(), of_teller.parameters().begin(), of_teller.parameters().end());
      const auto gradients = torch::autograd::grad({loss}, wanted);
      const auto end_of_map = gradients.begin() + static_cast<std::ptrdiff_t>(of_map.parameters().size());
      of_map.set_gradients({{gradients.begin(), end_of_map}});
      of_teller.set_gradients({{end_of_map, gradients.end()}});
    }
    const at::NoGradGuard no_grad;
    const double rate = nn::one_cycle(index, options.steps, options.learning_rate, kWarmup);
    of_map.step(rate);
    of_teller.step(rate);
    if ((index + 1) % between == 0 || index + 1 == options.steps) {
      const double now = missing(map, teller, judged).item<double>();
      if (now < best) {
        best = now;
        best_state = copied(map.parameters().state());
      }
    }
    return nn::Readings{{"missing nats", loss.detach()}};
  };
  nn::LoopOptions loop;
  loop.stage = "latent map";
  loop.steps = options.steps;
  nn::run_training(loop, map.parameters(), {&of_map, &of_teller}, step, progress);
  map.parameters().load_state(best_state);
  map.parameters().freeze();
  return map;
}

}  // namespace whence::gce
