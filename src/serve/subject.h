// What the explorer shows: a run, or a classifier with data, and the classifier's answers to all test images.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "whence/core/progress.h"
#include "whence/data/dataset.h"
#include "whence/explain/counterfactual/image_model.h"
#include "whence/models/roles.h"

namespace whence::serve {

struct Subject {
  std::string name;              ///< as the command line has it
  std::filesystem::path report;  ///< report.html of a run; "" where there is none
  std::shared_ptr<const models::Classifier> classifier;
  std::shared_ptr<const models::Encoder> encoder;  ///< null where there is no generator
  std::shared_ptr<const models::Decoder> decoder;
  data::Dataset test;
  std::vector<std::string> class_names, factors;
  std::int64_t causal = 0;  ///< 0: no counterfactuals
  std::uint64_t seed = 0;
  std::function<counterfactual::KnownCodes()> known;  ///< for morphs; asked once, by the thread that searches
};

/// The classifier's answers to all test images.
struct Answers {
  std::vector<std::int64_t> labels, classes;
  std::vector<float> confidence;  ///< probability of the answer

  std::int64_t size() const { return static_cast<std::int64_t>(classes.size()); }
  double accuracy() const;
};
/// Progress: stage "test images". Error: an interrupt; NaN.
Answers answers_of(const Subject& subject, const ProgressCallback& progress = {});

}  // namespace whence::serve
