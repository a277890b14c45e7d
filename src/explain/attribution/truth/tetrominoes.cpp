// Tetrominoes in noise on 8 x 8 pixels, after Clark, Wilming and Haufe 2024: which pixels carry the class is known from how an image is
// made. As there, the pattern and the background are brought to one size over the whole set and mixed, and the set is brought to one
// range. Ours are the strengths, which small classifiers learn within seconds, and a background that is correlated over about two pixels.
#include "explain/attribution/truth/problems.h"
#include "whence/core/filters.h"
#include "whence/core/random.h"

namespace whence::attribution::truth {
namespace {

constexpr std::int64_t kTetrominoSide = 8, kTetrominoImages = 6000;
struct Corner {
  std::int64_t row, column;
};
constexpr Corner kOfT = {1, 1}, kOfL = {4, 5};

void put(const at::Tensor& image, const at::Tensor& shape, const Corner& corner, double sign = 1) {
  image.narrow(0, corner.row, shape.size(0)).narrow(1, corner.column, shape.size(1)).copy_(sign * shape);
}

/// Turned by a multiple of 90 degrees, anywhere.
void put_anywhere(const at::Tensor& image, const at::Tensor& shape, Generator& generator) {
  const auto draw = [&](std::int64_t most) {
    return at::randint(most, {1}, generator, options_of(at::kLong)).item<std::int64_t>();
  };
  const at::Tensor turned = shape.rot90(draw(4), {0, 1});
  put(image, turned, {draw(kTetrominoSide - turned.size(0) + 1), draw(kTetrominoSide - turned.size(1) + 1)});
}

/// 1, -1 or 0 for each pixel of each image.
at::Tensor patterns(Shapes shapes, const at::Tensor& labels, Generator& generator) {
  const at::Tensor all = at::zeros({labels.size(0), kTetrominoSide, kTetrominoSide}, options_of(at::kFloat));
  const at::Tensor t = letter_t(), l = letter_l();
  for (std::int64_t i = 0; i < labels.size(0); ++i) {
    const bool second = labels[i].item<std::int64_t>() == 1;
    if (shapes == Shapes::rotated) {
      put_anywhere(all[i], second ? l : t, generator);
    } else if (shapes == Shapes::exclusive_or) {
      const double sign = i / 2 % 2 == 0 ? 1 : -1;
      put(all[i], t, kOfT, sign);
      put(all[i], l, kOfL, second ? -sign : sign);
    } else {
      put(all[i], second ? l : t, second ? kOfL : kOfT);
    }
  }
  return all;
}

/// Normal noise; correlated: behind a Gaussian filter with a deviation of one pixel.
at::Tensor noise(std::int64_t count, Background background, Generator& generator) {
  const at::Tensor white =
      at::randn({count, 1, kTetrominoSide, kTetrominoSide}, generator, options_of(at::kFloat));
  if (background == Background::white) return white.squeeze(1);
  constexpr std::int64_t reach = 3;
  const at::Tensor row = gaussian_window(1, reach, white.options());
  const at::Tensor filter = row.outer(row).view({1, 1, 2 * reach + 1, 2 * reach + 1});
  return at::conv2d(at::reflection_pad2d(white, {reach, reach, reach, reach}), filter).squeeze(1);
}

/// To a mean square of 1.
at::Tensor of_size_one(const at::Tensor& values) { return values / values.square().mean().sqrt(); }

/// How much of an image is pattern; of the multiplicative problems, how much of the background the pattern takes away.
double strength_of(Shapes shapes) {
  if (shapes == Shapes::linear) return 0.18;
  if (shapes == Shapes::multiplicative) return 0.9;
  return shapes == Shapes::rotated ? 0.65 : 0.35;
}

/// Where T and L are always at one place, the absence of the one tells as much as the presence of the other.
at::Tensor both_places(std::int64_t count) {
  const at::Tensor both = at::zeros({kTetrominoSide, kTetrominoSide}, options_of(at::kFloat));
  put(both, letter_t(), kOfT);
  put(both, letter_l(), kOfL);
  return both.expand({count, kTetrominoSide, kTetrominoSide});
}

Drawn drawn(Shapes shapes, Background background, std::uint64_t seed) {
  Generator generator = make_generator(seed, "attribution/truth/tetrominoes");
  const at::Tensor labels = at::arange(kTetrominoImages, options_of(at::kLong)).remainder(2);
  const at::Tensor pattern = patterns(shapes, labels, generator),
                   behind = of_size_one(noise(kTetrominoImages, background, generator));
  const double strength = strength_of(shapes);
  const at::Tensor mixed = shapes == Shapes::multiplicative
                               ? (1 - strength * pattern) * behind
                               : strength * of_size_one(pattern) + (1 - strength) * behind;
  return {0.5 + 0.5 * mixed / mixed.abs().max(), labels,
          shapes == Shapes::rotated ? (pattern != 0).to(at::kFloat) : both_places(kTetrominoImages)};
}

nn::Network linear_network() {
  nn::Network network("linear", {1, kTetrominoSide, kTetrominoSide});
  network.add("flatten", nn::Flatten{});
  network.add("logits", nn::Linear{2});
  return network;
}

nn::Network perceptron() {
  nn::Network network("perceptron", {1, kTetrominoSide, kTetrominoSide});
  network.add("flatten", nn::Flatten{});
  network.add("hidden1", nn::Linear{64});
  network.add("relu1", nn::Relu{});
  network.add("hidden2", nn::Linear{32});
  network.add("relu2", nn::Relu{});
  network.add("logits", nn::Linear{2});
  return network;
}

/// Eight functions of each pixel alone: how far it is from grey can be told.
nn::Network pixelwise_network() {
  nn::Network network("pixelwise", {1, kTetrominoSide, kTetrominoSide});
  network.add("conv", nn::Conv2d{8, 1});
  network.add("relu", nn::Relu{});
  network.add("flatten", nn::Flatten{});
  network.add("logits", nn::Linear{2});
  return network;
}

nn::Network convolutional_network() {
  nn::Network network("convolutional", {1, kTetrominoSide, kTetrominoSide});
  network.add("conv1", nn::Conv2d{16, 3});
  network.add("relu1", nn::Relu{});
  network.add("conv2", nn::Conv2d{16, 3});
  network.add("relu2", nn::Relu{});
  network.add("pool", nn::MaxPool2d{2, 2});
  network.add("flatten", nn::Flatten{});
  network.add("hidden", nn::Linear{32});
  network.add("relu3", nn::Relu{});
  network.add("logits", nn::Linear{2});
  return network;
}

Learner learner_of(Shapes shapes) {
  if (shapes == Shapes::linear) return {linear_network, 0.02, 8};
  if (shapes == Shapes::multiplicative) return {pixelwise_network, 0.02, 10};
  if (shapes == Shapes::rotated) return {convolutional_network, 0.01, 10};
  return {perceptron, 0.005, 8};
}

}  // namespace

at::Tensor letter_t() { return at::tensor({1, 0, 1, 1, 1, 0}, options_of(at::kFloat)).view({3, 2}); }
at::Tensor letter_l() { return at::tensor({1, 0, 1, 0, 1, 1}, options_of(at::kFloat)).view({3, 2}); }

template <Shapes shapes, Background background>
Making tetrominoes(const TruthRequest& request) {
  return learned_case(drawn(shapes, background, request.seed), learner_of(shapes), request);
}

template Making tetrominoes<Shapes::linear, Background::white>(const TruthRequest&);
template Making tetrominoes<Shapes::linear, Background::correlated>(const TruthRequest&);
template Making tetrominoes<Shapes::multiplicative, Background::white>(const TruthRequest&);
template Making tetrominoes<Shapes::multiplicative, Background::correlated>(const TruthRequest&);
template Making tetrominoes<Shapes::rotated, Background::white>(const TruthRequest&);
template Making tetrominoes<Shapes::rotated, Background::correlated>(const TruthRequest&);
template Making tetrominoes<Shapes::exclusive_or, Background::white>(const TruthRequest&);
template Making tetrominoes<Shapes::exclusive_or, Background::correlated>(const TruthRequest&);

}  // namespace whence::attribution::truth
