// Text on its way into other formats.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

namespace whence::report {

/// Bytes that are not UTF-8 become U+FFFD, control characters (line breaks among them) become spaces.
std::string clean_text(std::string_view text);

/// Clean, and safe in XML and HTML text and in quoted attributes.
std::string escape_markup(std::string_view text);

std::string base64(std::string_view bytes);
/// Of the values as they lie in memory.
std::string base64(const at::Tensor& tensor);

/// What follows "data:TYPE;charset=utf-8," in a quoted attribute; shorter than base64 for markup.
std::string escape_data(std::string_view text);

/// Each byte outside A-Z a-z 0-9 - . _ ~ / as %XX: a relative path as it stands in a link.
std::string escape_url_path(std::string_view path);

}  // namespace whence::report
