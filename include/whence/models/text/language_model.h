// A language model that judges how likely a text is: an LSTM (Mikolov et al. 2010) with tied word vectors (Press and Wolf 2017).
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>

#include "whence/core/progress.h"
#include "whence/data/text/vocabulary.h"
#include "whence/models/text/recurrent.h"
#include "whence/nn/training/training_loop.h"

namespace whence::models {

struct LanguageModelShape {
  std::int64_t words = 0;
  std::int64_t embedding = 128, hidden = 256;
};

class LanguageModel {
 public:
  LanguageModel(const LanguageModelShape& shape, at::Generator& generator);

  const LanguageModelShape& shape() const { return shape_; }
  nn::Parameters& parameters() { return parameters_; }
  const at::Tensor& embedding() const { return embedding_; }
  const at::Tensor& bias() const { return bias_; }
  /// What the next word's vector is compared with, (N, T + 1, embedding), from the words before it: numbers (N, T). Logits are queries x
  /// embedding^T + bias.
  at::Tensor queries(const at::Tensor& numbers, double dropout = 0, at::Generator* generator = nullptr) const;

 private:
  LanguageModelShape shape_;
  nn::Parameters parameters_;
  at::Tensor embedding_, bias_;
  Recurrent recurrent_;
  Linear query_;
};

struct LanguageModelTraining {
  std::int64_t epochs = 4;
  std::int64_t batch = 128;
  std::int64_t sampled_words = 600;  ///< of the softmax of a step, beside the words of the batch
  double learning_rate = 4e-3;       ///< Adam; the largest of a one-cycle schedule
  double dropout = 0.3;
  std::uint64_t seed = 0;
  std::filesystem::path checkpoint = {};
  double checkpoint_seconds = 20;
};

/// numbers: what to_numbers gives. Resumed training equals uninterrupted training bit for bit.
nn::LoopSummary train_language_model(LanguageModel& model, const at::Tensor& numbers,
                                     const LanguageModelTraining& options,
                                     const ProgressCallback& progress = {});

/// -log p of each text in nats, its end included, float32 (N).
at::Tensor negative_log_likelihood(const LanguageModel& model, const at::Tensor& numbers);

/// exp of the mean -log p of a word, ends included.
double perplexity(const LanguageModel& model, const at::Tensor& numbers);

/// The words before each place: numbers (N, T) with kEnd, which also begins a text, in front, (N, T + 1).
at::Tensor with_begin(const at::Tensor& numbers);
/// The word at each place: numbers (N, T) with kEnd behind the last, (N, T + 1).
at::Tensor with_end(const at::Tensor& numbers);

}  // namespace whence::models
