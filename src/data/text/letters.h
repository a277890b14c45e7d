// Texts as code points of Unicode, with their categories.
#pragma once

#include <string>
#include <string_view>

namespace whence::data {

using Letters = std::u32string;

/// In UTF-8.
std::string utf8(std::u32string_view letters);

/// Code points; bytes that are no UTF-8 are left out. `decomposed`: letters apart from their accents (Unicode's NFD).
Letters letters_of(std::string_view text, bool decomposed = false);
/// The same, but with U+FFFD for each byte that is no UTF-8.
Letters readable_letters_of(std::string_view text);

// By Unicode's general category.
bool is_space(char32_t letter);
bool is_control(char32_t letter);      ///< U+FFFD, too, which stands for what could not be read
bool is_punctuation(char32_t letter);  ///< of ASCII also its symbols
bool is_accent(char32_t letter);       ///< Mn
bool is_capital(char32_t letter);      ///< Lu
bool is_letter(char32_t letter);       ///< L
bool is_number(char32_t letter);       ///< N

char32_t small(char32_t letter);

}  // namespace whence::data
