// How good texts are that were really decoded: words kept, repeats, copies, variety, and a judge that is not the explained classifier.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <set>
#include <vector>

namespace whence::text {

using Numbers = std::vector<std::int64_t>;
/// The rows of numbers (N, T) without what stands from their first kEnd on.
std::vector<Numbers> rows_of(const at::Tensor& numbers);

/// F1 of the words of two texts as bags: 2 |common| / (|a| + |b|); 1 for two empty ones.
double words_kept(const Numbers& a, const Numbers& b);
/// For each pair of rows, float64 (N).
at::Tensor words_kept(const at::Tensor& a, const at::Tensor& b);

/// Whether a word stands twice in a row or two neighbours stand again later.
bool repeats(const Numbers& text);
/// Share of the texts (N, T) that repeat.
double repeat_share(const at::Tensor& texts);
/// Share of the texts that are one of `known`.
double copy_share(const at::Tensor& texts, const std::set<Numbers>& known);
/// Different pairs of neighbouring words over all pairs (distinct-2; Li et al. 2016); 0 without a pair.
double distinct_pairs(const at::Tensor& texts);

/// Multinomial naive Bayes with add-one smoothing (Manning, Raghavan and Schuetze 2008, section 13.2): a judge that people's labels alone made.
class NaiveBayes {
 public:
  /// texts: int64 (N, T); labels: int64 (N), 0 .. classes - 1.
  NaiveBayes(const at::Tensor& texts, const at::Tensor& labels, std::int64_t words, std::int64_t classes);
  /// The most probable class of each text, int64 (N).
  at::Tensor classify(const at::Tensor& texts) const;

 private:
  at::Tensor log_words_;    ///< (V, M), 0 for kEnd
  at::Tensor log_classes_;  ///< (M)
};

}  // namespace whence::text
