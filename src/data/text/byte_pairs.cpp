#include "whence/data/text/byte_pairs.h"

#include <algorithm>
#include <array>

#include "data/text/letters.h"

namespace whence::data {
namespace {

constexpr std::size_t kBytes = 256;

/// A letter for each byte: itself where it can be seen in Latin-1, else the next one from U+0100 on.
std::array<char32_t, kBytes> letters_of_bytes() {
  std::array<char32_t, kBytes> letters{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < kBytes; ++byte) {
    const bool seen = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    letters.at(byte) = seen ? byte : next++;
  }
  return letters;
}

/// Two of a word's neighbours in one text.
std::string pair_of(const std::string& first, const std::string& second) {
  std::string pair = first;
  pair += ' ';
  pair += second;
  return pair;
}

/// How many letters from `first` on are of one kind.
template <class Is>
std::size_t run_of(const Letters& text, std::size_t first, Is is) {
  std::size_t last = first;
  while (last < text.size() && is(text[last])) ++last;
  return last - first;
}

/// Of "'s" and its like, with the apostrophe; 0 where there is none.
std::size_t ending_at(const Letters& text, std::size_t first) {
  constexpr std::array<std::u32string_view, 7> endings = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  for (const std::u32string_view ending : endings)
    if (std::u32string_view(text).substr(first).starts_with(ending)) return ending.size();
  return 0;
}

bool is_other(char32_t letter) { return !is_space(letter) && !is_letter(letter) && !is_number(letter); }

/// Of the word that begins at `first`.
std::size_t length_of_word(const Letters& text, std::size_t first) {
  if (const std::size_t ending = ending_at(text, first); ending > 0) return ending;
  const std::size_t space = text[first] == U' ' && first + 1 < text.size() ? 1 : 0;
  const std::size_t begin = first + space;
  for (const std::size_t run :
       {run_of(text, begin, is_letter), run_of(text, begin, is_number), run_of(text, begin, is_other)})
    if (run > 0) return space + run;
  // White space; its last one belongs to the word behind it.
  const std::size_t spaces = run_of(text, first, is_space);
  return first + spaces < text.size() && spaces > 1 ? spaces - 1 : spaces;
}

/// The bytes that the letters of pieces stand for. A letter that stands for none keeps its own bytes.
std::string bytes_of(const Words& pieces) {
  static const std::unordered_map<char32_t, char> bytes = [] {
    std::unordered_map<char32_t, char> table;
    const auto letters = letters_of_bytes();
    for (std::size_t byte = 0; byte < kBytes; ++byte) table[letters.at(byte)] = static_cast<char>(byte);
    return table;
  }();
  std::string text;
  for (const std::string& piece : pieces)
    for (const char32_t letter : letters_of(piece)) {
      const auto found = bytes.find(letter);
      text += found == bytes.end() ? utf8({&letter, 1}) : std::string(1, found->second);
    }
  return text;
}

std::string joined_bytes(const Words& pieces) {
  const Letters letters = readable_letters_of(bytes_of(pieces));
  const auto first = std::find_if_not(letters.begin(), letters.end(), is_space);
  const auto last = std::find_if_not(letters.rbegin(), letters.rend(), is_space).base();
  return first < last ? utf8({&*first, static_cast<std::size_t>(last - first)}) : "";
}

}  // namespace

BytePairs::BytePairs(const Words& pieces, const std::vector<std::pair<std::string, std::string>>& merges,
                     Options options)
    : pieces_(pieces.begin(), pieces.end()), options_(std::move(options)) {
  for (const auto& [first, second] : merges) ranks_.emplace(pair_of(first, second), ranks_.size());
}

Words words_with_spaces(std::string_view text) {
  const Letters letters = letters_of(text);
  Words words;
  for (std::size_t first = 0; first < letters.size();) {
    const std::size_t length = length_of_word(letters, first);
    words.push_back(utf8(std::u32string_view(letters).substr(first, length)));
    first += length;
  }
  return words;
}

void BytePairs::add_pieces(Words& pieces, const std::string& word) const {
  static const std::array<char32_t, kBytes> letters = letters_of_bytes();
  Words parts;
  std::string whole;
  for (const char byte : word) {
    const char32_t letter = letters.at(static_cast<unsigned char>(byte));
    parts.push_back(utf8({&letter, 1}));
    whole += parts.back();
  }
  if (options_.whole_words && pieces_.contains(whole)) {
    pieces.push_back(whole);
    return;
  }
  while (parts.size() > 1) {
    std::size_t least = ranks_.size();
    for (std::size_t i = 0; i + 1 < parts.size(); ++i)
      if (const auto found = ranks_.find(pair_of(parts[i], parts[i + 1])); found != ranks_.end())
        least = std::min(least, found->second);
    if (least == ranks_.size()) break;
    Words merged;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool joins = i + 1 < parts.size() && [&] {
        const auto found = ranks_.find(pair_of(parts[i], parts[i + 1]));
        return found != ranks_.end() && found->second == least;
      }();
      merged.push_back(joins ? parts[i] + parts[i + 1] : parts[i]);
      if (joins) ++i;
    }
    parts = std::move(merged);
  }
  for (std::string& part : parts) {
    if (pieces_.contains(part))
      pieces.push_back(std::move(part));
    else if (!options_.unknown.empty())
      pieces.push_back(options_.unknown);
  }
}

Words BytePairs::operator()(std::string_view text) const {
  std::string own(text);
  if (options_.space_in_front && !own.empty() && !own.starts_with(' ')) own.insert(0, 1, ' ');
  Words pieces;
  for (const std::string& word : words_with_spaces(own)) add_pieces(pieces, word);
  return pieces;
}

Tokenizer byte_pair_tokenizer(BytePairs pairs) {
  return {[pairs = std::move(pairs)](std::string_view text) { return pairs(text); }, joined_bytes};
}

}  // namespace whence::data
