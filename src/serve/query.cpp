#include "serve/query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace whence::serve {
namespace {

template <class Number>
std::optional<Number> parsed(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

template <class Number>
Number within(const std::string& text, const char* name, Number least, Number most) {
  const std::optional<Number> value = parsed<Number>(text);
  if (!value || !(*value >= least && *value <= most))
    throw BadRequest(fmt::format("{} must be a number from {} to {}", name, least, most));
  return *value;
}

}  // namespace

std::int64_t integer(const Parameter& parameter, const char* name, std::int64_t least, std::int64_t most,
                     std::optional<std::int64_t> fallback) {
  const std::optional<std::string> text = parameter(name);
  if (!text && fallback) return *fallback;
  return within<std::int64_t>(text.value_or(""), name, least, most);
}

double number(const Parameter& parameter, const char* name, double least, double most, double fallback) {
  const std::optional<std::string> text = parameter(name);
  return text ? within<double>(*text, name, least, most) : fallback;
}

std::size_t word(const Parameter& parameter, const char* name, const std::vector<std::string>& words) {
  const std::optional<std::string> text = parameter(name);
  if (!text) return 0;
  const auto found = std::ranges::find(words, *text);
  if (found == words.end())
    throw BadRequest(fmt::format("{} must be one of {}", name, fmt::join(words, ", ")));
  return static_cast<std::size_t>(found - words.begin());
}

std::vector<std::int64_t> integers(const Parameter& parameter, const char* name, std::int64_t most,
                                   std::size_t most_numbers) {
  const std::string text = parameter(name).value_or("");
  std::vector<std::int64_t> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (values.size() == most_numbers)
      throw BadRequest(fmt::format("{} has more than {} numbers", name, most_numbers));
    values.push_back(within<std::int64_t>(text.substr(begin, end - begin), name, 0, most));
    begin = end + 1;
  }
  return values;
}

}  // namespace whence::serve
