#include "whence/data/text/texts.h"

#include <ATen/ATen.h>

#include <array>

namespace whence::data {
namespace {

constexpr std::array<std::string_view, 7> kEndings = {"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Whether text[at] stays inside the word around it.
bool binds(std::string_view text, std::size_t at) {
  if (at == 0 || at + 1 == text.size()) return false;
  const char before = text[at - 1], after = text[at + 1];
  switch (text[at]) {
    case '.':
    case ',':
      return is_digit(before) && is_digit(after);
    case '-':
    case '\'':
    case '/':
      return is_letter(before) && is_letter(after);
    default:
      return false;
  }
}

/// "don't" -> "do", "n't".
void add_word(Words& words, std::string_view word) {
  const std::string lower = lower_case(word);
  for (const std::string_view ending : kEndings) {
    if (lower.size() <= ending.size() || !std::string_view(lower).ends_with(ending)) continue;
    words.emplace_back(word.substr(0, word.size() - ending.size()));
    words.emplace_back(word.substr(word.size() - ending.size()));
    return;
  }
  words.emplace_back(word);
}

/// Bytes of the UTF-8 sequence that `lead` opens; 0: it opens none.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

bool is_utf8_at(std::string_view text, std::size_t at, std::size_t length) {
  if (length == 0 || at + length > text.size()) return false;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return false;
  return true;
}

}  // namespace

at::Tensor TextSet::labels() const {
  std::vector<std::int64_t> all;
  for (const LabelledText& text : texts) all.push_back(text.label);
  return at::tensor(all, at::kLong);
}

Phrases phrases_of(const TextSet& set) {
  Phrases phrases;
  for (const LabelledText& text : set.texts) phrases.words.push_back(text.words);
  phrases.targets = at::one_hot(set.labels(), set.classes()).to(at::kFloat);
  return phrases;
}

Words tokenize(std::string_view text) {
  Words words;
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_space(text[at])) {
      ++at;
      continue;
    }
    const std::size_t first = at++;
    if (text[first] == '.' || text[first] == '-') {  // "..." and "--" are one word
      while (at < text.size() && text[at] == text[first]) ++at;
      words.emplace_back(text.substr(first, at - first));
    } else if (!is_letter(text[first])) {
      words.emplace_back(text.substr(first, 1));
    } else {
      while (at < text.size() && (is_letter(text[at]) || binds(text, at))) ++at;
      add_word(words, text.substr(first, at - first));
    }
  }
  return words;
}

std::string lower_case(std::string_view word) {
  std::string lower(word);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

Words lower_case(Words words) {
  for (std::string& word : words) word = lower_case(word);
  return words;
}

std::string join_words(const Words& words) { return fmt::format("{}", fmt::join(words, " ")); }

Tokenizer word_tokenizer() {
  return {[](std::string_view text) { return lower_case(tokenize(text)); }};
}

std::int64_t first_line_not_utf8(std::string_view text) {
  std::int64_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(static_cast<unsigned char>(text[at]));
    if (!is_utf8_at(text, at, length)) return line;
    if (text[at] == '\n') ++line;
    at += length;
  }
  return 0;
}

TextSet cut(TextSet texts, std::int64_t most) {
  for (LabelledText& text : texts.texts)
    if (std::ssize(text.words) > most) text.words.resize(static_cast<std::size_t>(most));
  return texts;
}

}  // namespace whence::data
