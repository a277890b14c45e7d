// Training steps to be timed: networks with the papers' initial values, random images, a classifier that was never
// trained. A step costs what it costs whatever the numbers are.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "step_cost.h"
#include "whence/data/dataset.h"
#include "whence/explain/gce/train.h"

namespace whence::bench {

/// The settings that a step's cost depends on, besides its estimator; by default as in the recipe of Fashion-MNIST 0/3/4.
struct Scene {
  std::int64_t causal = 2, noncausal = 4, classes = 3;
  std::int64_t side = 28;   ///< of the images, pixels
  std::int64_t width = 64;  ///< of the CVAE, channels; the base CNN has half as many in its first convolution
  std::int64_t batch = 32;  ///< images
};

struct Setting {
  std::string name;
  Precision precision;
  flow::Estimator estimator;
  std::int64_t alpha, beta;  ///< draws; 0: the VAE alone
  int steps;                 ///< timed together
  gce::Inference inference = gce::Inference::averaged;

  bool vae_only() const { return alpha == 0; }
  std::int64_t draws() const { return alpha * beta; }
};

/// One entry a step: seconds that passed, and seconds that the process spent on processors, all threads together.
struct Samples {
  std::vector<double> seconds, processor;
};
double least(const std::vector<double>& values);
double median(std::vector<double> values);

/// Bytes at random, all of class 0.
data::Dataset random_images(std::int64_t count, const nn::Shape& image, std::int64_t classes);

/// How fast each layer runs alone, by network.
using Rates = std::map<std::string, std::vector<double>>;

class Workshop {
 public:
  explicit Workshop(const Scene& scene);

  /// Appends what each step takes; one more, made first, is not counted.
  void time(const Setting& setting, Samples& samples);
  void train(const Setting& setting, int steps, const ProgressCallback& progress);

  /// Of one step's convolutions and linear maps.
  double operations(const Setting& setting) const;
  /// Seconds of a step whose convolutions and linear maps all ran at `rates`, and the rest took no time.
  double least_seconds(const Setting& setting, const Rates& rates) const;

  std::vector<const nn::Network*> networks() const { return {&encoder_, &decoder_, &classifier_}; }

 private:
  double over_networks(const Setting& setting,
                       const std::function<double(const nn::Network&, Gradients)>& cost) const;

  Scene scene_;
  nn::Network encoder_, decoder_, classifier_;
  data::Dataset data_;
};

}  // namespace whence::bench
