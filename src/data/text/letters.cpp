#include "data/text/letters.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

namespace whence::data {
namespace {

utf8proc_category_t category_of(char32_t letter) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(letter));
}

constexpr char32_t kUnreadable = 0x110000;  ///< beyond Unicode

/// Code points, with kUnreadable for each byte that is no UTF-8.
Letters read(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  Letters letters;
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    letters.push_back(length > 0 ? static_cast<char32_t>(point) : kUnreadable);
    at += static_cast<std::size_t>(std::max<utf8proc_ssize_t>(length, 1));
  }
  return letters;
}

}  // namespace

std::string utf8(std::u32string_view letters) {
  std::string text;
  std::array<utf8proc_uint8_t, 4> bytes{};
  for (const char32_t letter : letters) {
    const utf8proc_ssize_t length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(letter), bytes.data());
    text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
  }
  return text;
}

Letters letters_of(std::string_view text, bool decomposed) {
  Letters letters;
  for (const char32_t letter : read(text)) {
    std::array<utf8proc_int32_t, 32> parts{};  // no letter has more
    int boundary = 0;
    const utf8proc_ssize_t count =
        decomposed && letter != kUnreadable
            ? utf8proc_decompose_char(static_cast<utf8proc_int32_t>(letter), parts.data(), std::ssize(parts),
                                      UTF8PROC_DECOMPOSE, &boundary)
            : 0;
    if (count > 0)
      letters.append(parts.begin(), parts.begin() + count);
    else if (letter != kUnreadable)
      letters.push_back(letter);
  }
  return letters;
}

Letters readable_letters_of(std::string_view text) {
  Letters letters = read(text);
  std::replace(letters.begin(), letters.end(), kUnreadable, U'\uFFFD');
  return letters;
}

bool is_space(char32_t letter) {
  return (letter >= U'\t' && letter <= U'\r') || letter == U'\u0085' ||
         category_of(letter) == UTF8PROC_CATEGORY_ZS || category_of(letter) == UTF8PROC_CATEGORY_ZL ||
         category_of(letter) == UTF8PROC_CATEGORY_ZP;
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

bool is_accent(char32_t letter) { return category_of(letter) == UTF8PROC_CATEGORY_MN; }
bool is_capital(char32_t letter) { return category_of(letter) == UTF8PROC_CATEGORY_LU; }

bool is_letter(char32_t letter) {
  const utf8proc_category_t category = category_of(letter);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t letter) {
  const utf8proc_category_t category = category_of(letter);
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

char32_t small(char32_t letter) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(letter)));
}

}  // namespace whence::data
