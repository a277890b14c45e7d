// Byte pairs, which GPT-2, RoBERTa and their kin read in place of words (Sennrich et al. 2016; Radford et al. 2019).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "whence/data/text/texts.h"

namespace whence::data {

/// Cuts texts as GPT-2's tokenizer does: a text becomes words, each with the space in front of it; the bytes of a word become letters that
/// can be seen ("Ġ" is a space); and neighbours are joined by the list of merges, the earliest one of the list first, until none is left that
/// the list has. Case and accents stay.
class BytePairs {
 public:
  struct Options {
    bool space_in_front = false;  ///< of a text that has none there, so that its first word is as any other
    bool whole_words = false;     ///< a word that is a piece stays whole, whatever the merges say
    std::string unknown = {};     ///< for a byte without a piece; empty: it is left out
  };
  BytePairs(const Words& pieces, const std::vector<std::pair<std::string, std::string>>& merges,
            Options options);

  /// The pieces of a text in UTF-8.
  Words operator()(std::string_view text) const;

 private:
  void add_pieces(Words& pieces, const std::string& word) const;

  std::unordered_set<std::string> pieces_;
  std::unordered_map<std::string, std::size_t> ranks_;  ///< of a merge, by both parts with a space between
  Options options_;
};

/// Shows pieces as the text whose bytes they are, without white space around it; bytes that are no UTF-8 become U+FFFD.
Tokenizer byte_pair_tokenizer(BytePairs pairs);

/// A text's words as GPT-2 tells them apart, which together are the text: "it's  12 ok!" as "it", "'s", " ", " 12", " ok", "!".
Words words_with_spaces(std::string_view text);

}  // namespace whence::data
