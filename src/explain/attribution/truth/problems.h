// The makers of the problems in the table, and what they share.
#pragma once

#include "whence/data/dataset.h"
#include "whence/explain/attribution/truth.h"
#include "whence/models/train/classifier.h"

namespace whence::attribution::truth {

using Making = std::optional<TruthCase>;

/// Problems are made on the processor, where their classifiers run.
inline at::TensorOptions options_of(at::ScalarType type) { return at::TensorOptions(type); }

/// Grey images (N, H, W) with their classes and true pixels, before they are bytes.
struct Drawn {
  at::Tensor images, labels, truth;
};
/// As a data set of the two classes; images outside of [0, 1] are cut off.
data::Dataset dataset_of(const Drawn& drawn);

/// By Adam, with a learning rate that rises to this and falls again.
models::ClassifierTraining training_with(double learning_rate, std::int64_t epochs, std::uint64_t seed);

/// Which network, and how it is trained.
struct Learner {
  nn::Network (*network)();
  double learning_rate;
  std::int64_t epochs;
};
/// The learner, trained on all but the last kHeldBack images, and the first of these that it gets right.
TruthCase learned_case(const Drawn& drawn, const Learner& learner, const TruthRequest& request);
constexpr std::int64_t kHeldBack = 1000;

/// Sets a parameter of a network that is written down.
void set_parameter(nn::Network& network, std::string_view name, const at::Tensor& value);

enum class Shapes { linear, multiplicative, rotated, exclusive_or };
enum class Background { white, correlated };
template <Shapes shapes, Background background>
Making tetrominoes(const TruthRequest& request);

Making interaction(const TruthRequest& request);
Making cancellation(const TruthRequest& request);
Making saturation(const TruthRequest& request);
Making decoy(const TruthRequest& request);
Making disconnected_cells(const TruthRequest& request);
Making picture_grid(const TruthRequest& request);

/// T and L, each 3 x 2 of 0 and 1.
at::Tensor letter_t();
at::Tensor letter_l();

}  // namespace whence::attribution::truth
