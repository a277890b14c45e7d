// What the figures of every kind begin with: images to show, and files that the stage keeps account of.
#pragma once

#include <ATen/core/Generator.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/kind.h"
#include "whence/data/dataset.h"

namespace whence::experiment {

/// `count` images of a data set, spread over its classes and sorted by class; drawn from `generator`.
struct Samples {
  at::Tensor images;                ///< float32 (n, C, H, W)
  std::vector<std::string> labels;  ///< the class names
};
Samples spread_samples(const data::Dataset& dataset, std::int64_t count, at::Generator& generator);

/// Counts what is drawn.
class Figures {
 public:
  explicit Figures(Session& session) : session_(session) {}

  /// The path of a figure without its endings, .png and .svg.
  std::filesystem::path stem(const std::string& name);
  /// Test images to show, from a random stream of the run's seed.
  Samples samples(std::int64_t count, std::string_view stream);
  /// A file of another kind that was written into the run folder, if any.
  void keep(const std::optional<std::string>& file) {
    if (file) products_.push_back(*file);
  }
  const std::vector<std::string>& products() const { return products_; }

 private:
  Session& session_;
  std::vector<std::string> products_;
};

}  // namespace whence::experiment
