#include "whence/data/text/word_pieces.h"

#include <algorithm>
#include <array>
#include <vector>

#include "data/text/letters.h"
#include "whence/core/error.h"
#include "whence/data/text/vocabulary.h"

namespace whence::data {
namespace {

constexpr std::size_t kLongestWord = 100;  ///< letters
constexpr std::string_view kBehindFirst = "##";

/// The blocks of Unicode that Devlin et al. name: ideographs, but neither Japanese syllables nor Hangul, which stand in words.
bool is_chinese(char32_t letter) {
  constexpr std::array<std::pair<char32_t, char32_t>, 8> blocks = {{{0x4E00, 0x9FFF},
                                                                    {0x3400, 0x4DBF},
                                                                    {0x20000, 0x2A6DF},
                                                                    {0x2A700, 0x2B73F},
                                                                    {0x2B740, 0x2B81F},
                                                                    {0x2B820, 0x2CEAF},
                                                                    {0xF900, 0xFAFF},
                                                                    {0x2F800, 0x2FA1F}}};
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const auto& block) { return letter >= block.first && letter <= block.second; });
}

std::vector<Letters> words_of(std::string_view text, bool keeps_case) {
  std::vector<Letters> words = {{}};
  // Before a Chinese character is taken apart (some have another one as their canonical form), it is known by what it is; both are Chinese.
  for (char32_t letter : letters_of(text, !keeps_case)) {
    const bool is_gap = letter == U'\t' || letter == U'\n' || letter == U'\r';
    if (!is_gap && is_control(letter)) continue;  // some are spaces to others
    if (is_space(letter)) {
      words.emplace_back();
      continue;
    }
    if (!keeps_case && is_accent(letter)) continue;
    if (!keeps_case) letter = small(letter);
    if (is_punctuation(letter) || is_chinese(letter)) {
      words.push_back({letter});
      words.emplace_back();
    } else {
      words.back().push_back(letter);
    }
  }
  std::erase_if(words, [](const Letters& word) { return word.empty(); });
  return words;
}

bool has_capital(const std::string& piece) {
  const Letters letters = letters_of(piece);
  return std::any_of(letters.begin(), letters.end(), is_capital);
}

bool is_special(const std::string& piece) {
  return piece.size() > 2 && piece.front() == '[' && piece.back() == ']';
}

std::string joined(const Words& pieces) {
  std::string text;
  for (const std::string& piece : pieces) {
    const bool behind =
        piece.size() > kBehindFirst.size() && piece.starts_with(kBehindFirst) && !text.empty();
    if (!behind && !text.empty()) text += ' ';
    text += behind ? piece.substr(kBehindFirst.size()) : piece;
  }
  return text;
}

}  // namespace

WordPieces::WordPieces(const Words& pieces, std::string unknown)
    : pieces_(pieces.begin(), pieces.end()), unknown_(std::move(unknown)) {
  if (!pieces_.contains(unknown_))
    fail("the word pieces have no '{}', which stands for unknown words", unknown_);
  keeps_case_ = std::any_of(pieces.begin(), pieces.end(), [](const std::string& piece) {
    return !is_special(piece) && has_capital(piece);
  });
}

WordPieces WordPieces::load(const std::filesystem::path& file) {
  const Vocabulary lines = Vocabulary::load(file);
  const std::string unknown = "[UNK]";
  if (lines.number_of(unknown) == Vocabulary::kUnknown)
    fail("{} has no line '{}', so it is no list of word pieces such as BERT's vocab.txt", file.string(),
         unknown);
  return {lines.words(), unknown};
}

void WordPieces::add_pieces(Words& pieces, const Letters& word) const {
  Words own;
  for (std::size_t first = 0; first < word.size();) {
    std::size_t count = word.size() - first;
    std::string piece;
    for (; count > 0; --count) {
      piece = first == 0 ? "" : kBehindFirst;
      piece += utf8(std::u32string_view(word).substr(first, count));
      if (pieces_.contains(piece)) break;
    }
    if (count == 0 || word.size() > kLongestWord) {
      pieces.push_back(unknown_);
      return;
    }
    own.push_back(piece);
    first += count;
  }
  pieces.insert(pieces.end(), own.begin(), own.end());
}

Words WordPieces::operator()(std::string_view text) const {
  Words pieces;
  for (const Letters& word : words_of(text, keeps_case_)) add_pieces(pieces, word);
  return pieces;
}

Tokenizer word_piece_tokenizer(WordPieces pieces) {
  return {[pieces = std::move(pieces)](std::string_view text) { return pieces(text); }, joined};
}

}  // namespace whence::data
