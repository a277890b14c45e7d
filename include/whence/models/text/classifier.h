// Classifiers of texts, and their training.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "whence/core/progress.h"
#include "whence/data/text/vocabulary.h"
#include "whence/models/roles.h"
#include "whence/models/text/recurrent.h"
#include "whence/models/train/classifier.h"
#include "whence/nn/training/training_loop.h"

namespace whence::models {

/// A classifier whose input is a text: numbers of words, int64 (N, T), or relaxed words (N, T, V), rows of shares of all words
/// (a hard word is a row with a single 1). Behind its first Vocabulary::kEnd a row does not count.
class TextClassifier : public Classifier {
 public:
  at::Tensor logits(const at::Tensor& x) const override;

  /// Word vectors, (V, E).
  virtual const at::Tensor& embedding() const = 0;
  /// From word vectors (N, T, E) that stand at the places of `numbers`, int64 (N, T), which tell the lengths (a text without words counts
  /// as one word). Differentiable in the word vectors.
  virtual at::Tensor logits_of(const at::Tensor& vectors, const at::Tensor& numbers) const = 0;
};

enum class TextArchitecture {
  /// Verhoeven et al. 2021, appendix C: an LSTM in both directions, 3 x (convolution with 32 filters of 3, ReLU, maximum over 2),
  /// a linear layer. The paper leaves open what its linear layer reads of texts of several lengths; here, the maximum over what is left.
  bilstm_convolutions,
  /// A GRU in both directions; a linear layer reads maximum and mean over all words.
  bigru,
};

struct TextClassifierShape {
  TextArchitecture architecture = TextArchitecture::bigru;
  std::int64_t words = 0, classes = 0;
  std::int64_t embedding = 128, hidden = 128;  ///< hidden: of each direction
};

/// The trainable network.
class TextClassifierNetwork {
 public:
  /// `embedding`: initial word vectors, (words, embedding).
  TextClassifierNetwork(const TextClassifierShape& shape, const at::Tensor& embedding,
                        at::Generator& generator);

  const TextClassifierShape& shape() const { return shape_; }
  nn::Parameters& parameters() { return parameters_; }
  const at::Tensor& embedding() const { return embedding_; }
  /// `dropout`: the stream of masks of a training step; nullptr: none drops. Its share applies to word vectors and to what the
  /// linear layer reads.
  at::Tensor logits_of(const at::Tensor& vectors, const at::Tensor& lengths, double share = 0,
                       at::Generator* dropout = nullptr) const;

 private:
  at::Tensor convolved(at::Tensor outputs, at::Tensor lengths) const;

  TextClassifierShape shape_;
  nn::Parameters parameters_;
  at::Tensor embedding_;
  Recurrent recurrent_;
  std::vector<std::pair<at::Tensor, at::Tensor>> convolutions_;
  std::optional<Linear> output_;
};

/// Freezes the network.
std::unique_ptr<TextClassifier> as_text_classifier(TextClassifierNetwork network);

struct TextClassifierTraining {
  std::int64_t epochs = 3;
  std::int64_t batch = 128;
  double learning_rate = 2e-3;  ///< Adam; the largest (one_cycle), that of the first epoch (decay)
  ClassifierSchedule schedule = ClassifierSchedule::one_cycle;
  double decay = 0.85;  ///< times the learning rate after each epoch (decay)
  double dropout = 0.4;
  double word_dropout = 0.05;  ///< share of words that a step takes as unknown
  std::uint64_t seed = 0;
  std::filesystem::path checkpoint = {};  ///< empty: none
  double checkpoint_seconds = 20;
};

/// Cross-entropy with the targets of the phrases. Resumed training equals uninterrupted training bit for bit.
nn::LoopSummary train_text_classifier(TextClassifierNetwork& network, const data::Phrases& phrases,
                                      const data::Vocabulary& vocabulary,
                                      const TextClassifierTraining& options,
                                      const ProgressCallback& progress = {});

/// Probabilities of texts, float32 (N, M), a few hundred at a time.
at::Tensor text_probabilities(const Classifier& classifier, const at::Tensor& numbers);

/// Share of the texts whose label has the largest probability.
double text_accuracy(const Classifier& classifier, const data::Vocabulary& vocabulary,
                     const data::TextSet& texts);

}  // namespace whence::models
