#include "cli/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "whence/core/error.h"

namespace fs = std::filesystem;

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

void require_writable(const fs::path& path, bool folder) {
  std::error_code error;
  fs::path place = fs::absolute(path, error).lexically_normal();
  const bool exists = fs::exists(place, error);
  if (exists && fs::is_directory(place, error) != folder)
    fail("{} cannot be written: it is a {}", path.string(),
         folder ? "file, not a folder" : "folder, not a file");
  if (exists && !folder && ::access(place.c_str(), W_OK) == 0) return;
  if (!exists || !folder) place = place.parent_path();
  while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  if (!fs::is_directory(place, error))
    fail("{} cannot be written: {} is a file, not a folder", path.string(), place.string());
  if (::access(place.c_str(), W_OK) != 0)
    fail("{} cannot be written: {} allows no writing; give another place or change its permissions",
         path.string(), place.string());
}

void check_outputs(CLI::App& program) {
  for (CLI::App* command : program.get_subcommands({})) {
    check_outputs(*command);
    CLI::Option* out = command->get_option_no_throw("--out");
    if (out == nullptr) continue;
    const std::string kind = out->get_type_name();
    out->check(CLI::Validator(
        [kind](std::string& path) {
          if (kind != "DIR" && kind != "FILE" && !path.empty())  // the first part of several files' names
            require_writable(fs::path("." / fs::path(path)).parent_path(), true);
          else if (!path.empty())
            require_writable(path, kind == "DIR");
          return std::string();
        },
        ""));
  }
}

}  // namespace whence::cli
