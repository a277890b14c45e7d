// Word pieces, which BERT and its kin read in place of words (Schuster and Nakajima 2012; Devlin et al. 2019).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>

#include "whence/data/text/texts.h"

namespace whence::data {

/// Cuts texts as BERT's tokenizer does: control characters go, white space, punctuation and each Chinese character separate words, and a word
/// becomes the longest pieces that the list has, from left to right, those behind the first with "##" in front. A word that has no such
/// pieces, or more than 100 letters, is `unknown`. Words become small letters without accents unless a piece of the list has a capital letter
/// (those in square brackets aside).
class WordPieces {
 public:
  /// Error: no `unknown` in the list.
  WordPieces(const Words& pieces, std::string unknown);
  /// BERT's vocab.txt: a piece a line. Unknown is "[UNK]". Errors: those of Vocabulary::load; no "[UNK]" (file named).
  static WordPieces load(const std::filesystem::path& file);

  /// The pieces of a text in UTF-8.
  Words operator()(std::string_view text) const;
  bool keeps_case() const { return keeps_case_; }

 private:
  void add_pieces(Words& pieces, const std::u32string& word) const;

  std::unordered_set<std::string> pieces_;
  std::string unknown_;
  bool keeps_case_ = false;
};

/// With the pieces of a word shown as one: "play", "##ing" as "playing".
Tokenizer word_piece_tokenizer(WordPieces pieces);

}  // namespace whence::data
