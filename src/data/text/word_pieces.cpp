#include "whence/data/text/word_pieces.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "whence/core/error.h"
#include "whence/data/text/vocabulary.h"

namespace whence::data {
namespace {

constexpr std::size_t kLongestWord = 100;  ///< letters
constexpr std::string_view kBehindFirst = "##";

using Letters = std::u32string;

std::string utf8(const Letters& letters, std::size_t first, std::size_t count) {
  std::string text;
  std::array<utf8proc_uint8_t, 4> bytes{};
  for (const char32_t letter : std::u32string_view(letters).substr(first, count)) {
    const utf8proc_ssize_t length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(letter), bytes.data());
    text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
  }
  return text;
}

/// Code points; bytes that are no UTF-8 are left out. `decomposed`: letters apart from their accents (Unicode's NFD).
Letters letters_of(std::string_view text, bool decomposed) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  Letters letters;
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    at += static_cast<std::size_t>(std::max<utf8proc_ssize_t>(length, 1));
    if (length <= 0) continue;
    std::array<utf8proc_int32_t, 32> parts{};  // no letter has more
    int boundary = 0;
    const utf8proc_ssize_t count =
        decomposed
            ? utf8proc_decompose_char(point, parts.data(), std::ssize(parts), UTF8PROC_DECOMPOSE, &boundary)
            : 0;
    if (count <= 0) {
      letters.push_back(static_cast<char32_t>(point));
    } else {
      letters.append(parts.begin(), parts.begin() + count);
    }
  }
  return letters;
}

utf8proc_category_t category_of(char32_t letter) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(letter));
}

bool is_space(char32_t letter) {
  return (letter >= U'\t' && letter <= U'\r') || category_of(letter) == UTF8PROC_CATEGORY_ZS ||
         category_of(letter) == UTF8PROC_CATEGORY_ZL || category_of(letter) == UTF8PROC_CATEGORY_ZP;
}

bool is_control(char32_t letter) {
  const utf8proc_category_t category = category_of(letter);
  return letter == U'\uFFFD' || category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CO ||
         category == UTF8PROC_CATEGORY_CS;
}

bool is_punctuation(char32_t letter) {
  if (letter < 0x80)
    return (letter >= U'!' && letter <= U'/') || (letter >= U':' && letter <= U'@') ||
           (letter >= U'[' && letter <= U'`') || (letter >= U'{' && letter <= U'~');
  const utf8proc_category_t category = category_of(letter);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

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
    if (is_space(letter)) {
      words.emplace_back();
      continue;
    }
    if (is_control(letter) || (!keeps_case && category_of(letter) == UTF8PROC_CATEGORY_MN)) continue;
    if (!keeps_case) letter = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(letter)));
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
  const Letters letters = letters_of(piece, false);
  return std::any_of(letters.begin(), letters.end(),
                     [](char32_t letter) { return category_of(letter) == UTF8PROC_CATEGORY_LU; });
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
      piece += utf8(word, first, count);
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
