// Networks that are written down, so that what each pixel adds to the score is known: Shapley values with a black image as the baseline.
// Two pixels, a and b, stand in 4 x 4 pixels of noise that nothing reads.
#include <array>
#include <functional>

#include "explain/attribution/truth/problems.h"
#include "whence/core/random.h"

namespace whence::attribution::truth {
namespace {

constexpr std::int64_t kWrittenSide = 4, kA = 5, kB = 10;

/// Hidden units relu(a weights[i][0] + b weights[i][1] + bias[i]), and the logit of class 1, their sum with `output` and `constant`.
struct Written {
  std::vector<std::array<float, 2>> weights;
  std::vector<float> bias, output;
  float constant = 0;
};

nn::Network network_of(const Written& written, std::string name) {
  const auto units = static_cast<std::int64_t>(written.bias.size());
  nn::Network network(std::move(name), {1, kWrittenSide, kWrittenSide});
  network.add("flatten", nn::Flatten{});
  network.add("hidden", nn::Linear{units});
  network.add("relu", nn::Relu{});
  network.add("logits", nn::Linear{2});
  const at::Tensor weights = at::zeros({units, kWrittenSide * kWrittenSide}, options_of(at::kFloat)),
                   out = at::zeros({2, units}, options_of(at::kFloat));
  for (std::int64_t i = 0; i < units; ++i) {
    const auto unit = static_cast<std::size_t>(i);
    weights[i][kA].fill_(written.weights[unit][0]);
    weights[i][kB].fill_(written.weights[unit][1]);
    out[1][i].fill_(written.output[unit]);
  }
  set_parameter(network, "hidden.weight", weights);
  set_parameter(network, "hidden.bias", at::tensor(written.bias, options_of(at::kFloat)));
  set_parameter(network, "logits.weight", out);
  set_parameter(network, "logits.bias", at::tensor({0.0F, written.constant}, options_of(at::kFloat)));
  return network;
}

using Values = std::pair<at::Tensor, at::Tensor>;  ///< of a and of b, (N) each

TruthCase written_case(const nn::Network& network, const TruthRequest& request,
                       const std::function<Values(const at::Tensor& a, const at::Tensor& b)>& shapley) {
  const std::int64_t count = request.images;
  Generator generator = make_generator(request.seed, "attribution/truth/hand-written");
  const at::Tensor all =
      at::rand({2 * count, kWrittenSide * kWrittenSide}, generator, options_of(at::kFloat));
  for (const std::int64_t pixel : {kA, kB}) all.select(1, pixel).mul_(0.35).add_(0.6);  // 0.6 to 0.95
  const at::Tensor flat = all.narrow(0, 0, count);
  const auto [a, b] = shapley(flat.select(1, kA), flat.select(1, kB));
  const at::Tensor truth = at::zeros_like(flat);
  truth.select(1, kA).copy_(a);
  truth.select(1, kB).copy_(b);
  TruthCase made;
  made.classifier = models::as_classifier(network);
  made.images = flat.view({count, 1, kWrittenSide, kWrittenSide});
  made.target = at::ones({count}, options_of(at::kLong));
  made.truth = truth.view({count, 1, kWrittenSide, kWrittenSide});
  made.references = all.narrow(0, count, count).reshape({count, 1, kWrittenSide, kWrittenSide});
  return made;
}

}  // namespace

/// relu(a + b - 1): neither pixel does anything alone.
Making interaction(const TruthRequest& request) {
  const nn::Network network = network_of({.weights = {{1, 1}}, .bias = {-1}, .output = {1}}, "interaction");
  return written_case(network, request, [](const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor half = (a + b - 1).relu() / 2;
    return Values{half, half};
  });
}

/// relu(a + b) - relu(b) = a: what b adds on one path it takes away on the other.
Making cancellation(const TruthRequest& request) {
  const nn::Network network =
      network_of({.weights = {{1, 1}, {0, 1}}, .bias = {0, 0}, .output = {1, -1}}, "cancellation");
  return written_case(network, request, [](const at::Tensor& a, const at::Tensor& b) {
    return Values{a, at::zeros_like(b)};
  });
}

/// 1 - relu(1 - a - b) = min(a + b, 1): both pixels matter, and the gradient is 0.
Making saturation(const TruthRequest& request) {
  const nn::Network network =
      network_of({.weights = {{-1, -1}}, .bias = {1}, .output = {-1}, .constant = 1}, "saturation");
  return written_case(network, request, [](const at::Tensor& a, const at::Tensor& b) {
    return Values{(a + 1 - b) / 2, (b + 1 - a) / 2};
  });
}

}  // namespace whence::attribution::truth
