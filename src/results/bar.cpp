#include <charconv>
#include <cmath>

#include "whence/results/page.h"

namespace whence::results {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Bar> parse_bar(std::string_view text) {
  text = trimmed(text);
  const bool at_least = text.starts_with(">=");
  if (!at_least && !text.starts_with("<=")) return std::nullopt;
  text = trimmed(text.substr(2));
  Bar bar{at_least, 0};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bar.value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(bar.value) ? std::optional(bar) : std::nullopt;
}

}  // namespace whence::results
