// Labelled texts in memory, cut into words.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace whence::data {

using Words = std::vector<std::string>;

struct LabelledText {
  Words words;
  std::int64_t label = 0;  ///< 0 .. class_names.size() - 1
};

struct TextSet {
  std::vector<LabelledText> texts;
  std::vector<std::string> class_names;  ///< one per class

  std::int64_t size() const { return static_cast<std::int64_t>(texts.size()); }
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
  at::Tensor labels() const;  ///< int64, (N)
};

/// Parts of the training texts that people judged by themselves. What a classifier aims at is a probability for each class: a
/// phrase may stand between two classes.
struct Phrases {
  std::vector<Words> words;
  at::Tensor targets;  ///< float32, (N, classes); rows sum to 1

  std::int64_t size() const { return static_cast<std::int64_t>(words.size()); }
};

/// Every text as a phrase whose target is its class.
Phrases phrases_of(const TextSet& set);

struct TextSplits {
  TextSet train, validation, test;
  Phrases phrases;       ///< what a classifier is trained on: judged parts, or the training texts themselves
  Phrases test_phrases;  ///< the same of the test texts
};

/// Words of a text as people type it. White space separates; punctuation is a word of its own, but for a point or comma
/// between digits, a hyphen or an apostrophe within a word; "n't", "'s", "'re", "'ve", "'ll", "'d" and "'m" are cut off, as in
/// the Penn treebank (Marcus, Santorini and Marcinkiewicz 1993). Bytes beyond ASCII belong to words.
Words tokenize(std::string_view text);

/// Small letters; ASCII only.
std::string lower_case(std::string_view word);
Words lower_case(Words words);

/// With a space between words.
std::string join_words(const Words& words);

/// How a text is cut into words, and how words are shown as a text.
struct Tokenizer {
  std::function<Words(std::string_view)> cut;
  std::function<std::string(const Words&)> join = join_words;
};
/// Words as `tokenize` cuts them, in small letters.
Tokenizer word_tokenizer();

/// The first line (from 1) that is not UTF-8; 0 where all are.
std::int64_t first_line_not_utf8(std::string_view text);

/// The words of every text cut after `most` words.
TextSet cut(TextSet texts, std::int64_t most);

}  // namespace whence::data
