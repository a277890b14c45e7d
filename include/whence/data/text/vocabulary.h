// Words by number, and word vectors from files.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "whence/data/text/texts.h"

namespace whence::data {

/// Numbers of words: 0 ends a text and fills up shorter ones, 1 stands for every unknown word, the others follow by falling
/// frequency.
class Vocabulary {
 public:
  static constexpr std::int64_t kEnd = 0, kUnknown = 1, kFirstWord = 2;

  /// Every word that stands at least `least` times in `texts`; equally frequent ones in the order of their bytes. Error: no such
  /// word.
  Vocabulary(const std::vector<Words>& texts, std::int64_t least);
  /// In this order, without the two special entries.
  explicit Vocabulary(const Words& words);

  std::int64_t size() const { return static_cast<std::int64_t>(words_.size()); }
  std::int64_t number_of(const std::string& word) const;  ///< kUnknown where it is none of them
  Words words() const;                                    ///< without the two special entries
  const std::string& word(std::int64_t number) const { return words_.at(static_cast<std::size_t>(number)); }
  std::vector<std::int64_t> numbers_of(const Words& words) const;
  bool knows_all(const Words& words) const;
  /// Up to the first kEnd. Unknown words are "<unknown>".
  Words words_of(const std::vector<std::int64_t>& numbers) const;

  /// The number here of each of `other`'s words, int64 (other.size()): leads from one vocabulary to another.
  at::Tensor translation_from(const Vocabulary& other) const;

  /// One word a line.
  void save(const std::filesystem::path& path) const;
  /// Errors: not UTF-8 (names the line), a word that stands there twice (names both lines), no word.
  static Vocabulary load(const std::filesystem::path& path);

 private:
  std::vector<std::string> words_;
  std::unordered_map<std::string, std::int64_t> numbers_;
};

/// Texts as a matrix of numbers, int64 (N, T), filled up with kEnd to the longest (at least 1). `most` > 0: longer texts are cut
/// after `most` words. A text without words is one unknown word.
at::Tensor to_numbers(const Vocabulary& vocabulary, const std::vector<Words>& texts, std::int64_t most = 0);

/// Texts of several matrices (N_i, T_i) in one, (sum N_i, max T_i), filled up with kEnd.
at::Tensor stacked(const std::vector<at::Tensor>& numbers);

/// How many words each row has before its first kEnd, int64 (N).
at::Tensor lengths_of(const at::Tensor& numbers);

/// Word vectors as GloVe publishes them: a word and its numbers a line, no header (Pennington, Socher and Manning 2014).
struct WordVectors {
  std::unordered_map<std::string, std::int64_t> rows;
  at::Tensor values;  ///< float32, (words, dimensions)

  std::int64_t dimensions() const { return values.size(1); }
};
/// Errors name file and line: not UTF-8, not a number, another count of numbers than in the first line, a word twice; no line.
WordVectors read_word_vectors(const std::filesystem::path& path);

/// Share of the vocabulary's words that have a vector.
double coverage(const Vocabulary& vocabulary, const WordVectors& vectors);

/// A table for all words, float32 (size, width): N(0, deviation), but for the first columns, which hold the vectors of the files,
/// one file behind the other, scaled to this deviation. A word that a file lacks keeps its draws there.
at::Tensor initial_embedding(const Vocabulary& vocabulary, const std::vector<WordVectors>& vectors,
                             std::int64_t width, double deviation, at::Generator& generator);

}  // namespace whence::data
