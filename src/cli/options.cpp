#include "cli/options.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace whence::cli {
namespace {

template <class Value>
std::optional<Value> parsed(const std::string& text) {
  Value value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// "2 to 200"; empty without an upper bound.
template <class Value>
std::string range(Value least, Value most) {
  return most == std::numeric_limits<Value>::max() ? "" : fmt::format("{} to {}", least, most);
}

template <class Value>
std::string bounds(Value least, Value most) {
  const std::string both = range(least, most);
  return both.empty() ? fmt::format("of at least {}", least) : "from " + both;
}

/// A check by `is_good`, which a value passes that is `what`; the help shows `hint`.
template <class Check>
CLI::Validator validator(const std::string& what, const Check& is_good, const std::string& hint = "") {
  return CLI::Validator(
      [=](std::string& text) {
        return is_good(text) ? std::string() : fmt::format("must be {}, not '{}'", what, text);
      },
      hint);
}

}  // namespace

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  return validator(
      "an integer " + bounds(least, most),
      [=](const std::string& text) {
        const auto value = parsed<std::int64_t>(text);
        return value && *value >= least && *value <= most;
      },
      range(least, most));
}

CLI::Validator number(double least, double most) {
  return validator(
      "a number " + bounds(least, most),
      [=](const std::string& text) {
        const auto value = parsed<double>(text);
        return value && std::isfinite(*value) && *value >= least && *value <= most;
      },
      range(least, most));
}

}  // namespace whence::cli
