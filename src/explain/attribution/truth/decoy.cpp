// A classifier that looks at a corner, while something brighter stands in the middle.
#include "explain/attribution/truth/problems.h"
#include "whence/core/random.h"

namespace whence::attribution::truth {
namespace {

constexpr std::int64_t kDecoySide = 12, kDecoyImages = 3000, kCorner = 2;

nn::Network decoy_network() {
  nn::Network network("decoy", {1, kDecoySide, kDecoySide});
  network.add("conv", nn::Conv2d{8, 3});
  network.add("relu1", nn::Relu{});
  network.add("flatten", nn::Flatten{});
  network.add("hidden", nn::Linear{16});
  network.add("relu2", nn::Relu{});
  network.add("logits", nn::Linear{2});
  return network;
}

}  // namespace

/// The class is the grey level of the lower right corner; the letter is T or L by chance.
Making decoy(const TruthRequest& request) {
  Generator generator = make_generator(request.seed, "attribution/truth/decoy");
  const at::Tensor labels = at::arange(kDecoyImages, options_of(at::kLong)).remainder(2);
  const at::Tensor drawn =
      0.5 + 0.1 * at::randn({kDecoyImages, kDecoySide, kDecoySide}, generator, options_of(at::kFloat));
  const at::Tensor second = at::randint(2, {kDecoyImages, 1, 1}, generator, options_of(at::kLong)) == 1;
  const at::Tensor letter =
      at::where(second, letter_l(), letter_t()).repeat_interleave(2, 1).repeat_interleave(2, 2);
  drawn.narrow(1, 3, letter.size(1)).narrow(2, 4, letter.size(2)).add_(0.4 * letter);
  const auto corner = [](const at::Tensor& all) {
    return all.narrow(1, kDecoySide - kCorner, kCorner).narrow(2, kDecoySide - kCorner, kCorner);
  };
  const at::Tensor level = 0.35 + 0.3 * labels.to(at::kFloat);
  corner(drawn).sub_(0.5).add_(level.view({kDecoyImages, 1, 1}));
  const at::Tensor truth = at::zeros_like(drawn);
  corner(truth).fill_(1);
  return learned_case({drawn, labels, truth}, {decoy_network, 0.005, 6}, request);
}

}  // namespace whence::attribution::truth
