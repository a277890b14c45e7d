// The Stanford Sentiment Treebank (Socher et al. 2013): sentences whose every phrase was judged by people.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whence/data/text/texts.h"

namespace whence::data {

/// A phrase of a sentence: words first .. first + count - 1, with its grade.
struct TreePhrase {
  std::int64_t grade = 0;  ///< 0 very negative, 1, 2 neutral, 3, 4 very positive
  std::size_t first = 0, count = 0;
};

struct SentimentTree {
  Words words;
  std::vector<TreePhrase> phrases;  ///< of all nodes, a node before its children; the first is the sentence

  std::int64_t grade() const { return phrases.front().grade; }
  Words words_of(const TreePhrase& phrase) const;
};

/// One line "(3 (2 A) (4 (3 good) (2 film)))": every node has a grade and two children, or a word. Words are separated at
/// spaces only. -LRB- and -RRB- become brackets. `place` is file and line; errors begin with it: no tree, a grade that is none of 0 to 4, a bracket that is
/// not closed, text behind the tree.
SentimentTree parse_tree(std::string_view line, const std::string& place);

/// One tree a line; empty lines are passed over. Errors besides: missing, not UTF-8, no tree.
std::vector<SentimentTree> read_trees(const std::filesystem::path& path);

/// Where train.txt, dev.txt and test.txt lie: in `path`, or in `path`/trees; without `path` in the folders sst or sst/trees of
/// WHENCE_DATA, ./data and data_home().
std::optional<std::filesystem::path> find_sst(const std::filesystem::path& path);

enum class SstClasses { binary, graded };

/// The official splits, words in small letters. Binary: negative (grades 0 and 1) and positive (3 and 4); neutral sentences are
/// left out (8,544 / 1,101 / 2,210 become 6,920 / 872 / 1,821). Graded: five classes. `phrases` are the different phrases of the
/// training sentences; a binary target puts 1, 1, .5, 0, 0 on "negative" for the grades 0 to 4. Error: not found; says where
/// it looked. `tokenizer` cuts the treebank's words again, with a space between them.
TextSplits load_sst(const std::filesystem::path& path, SstClasses classes,
                    const std::optional<Tokenizer>& tokenizer = {});

}  // namespace whence::data
