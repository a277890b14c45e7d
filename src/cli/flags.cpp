#include "cli/flags.h"

#include "whence/core/error.h"

namespace whence::cli {
namespace {

using namespace config;

template <class... Types>
bool is_one_of(const Type& type) {
  return (std::holds_alternative<Types>(type) || ...);
}

/// What stands behind a flag in the help; of a text its unit.
std::string kind_of(const Key& key) {
  const Type& type = key.type;
  if (is_one_of<Integer>(type)) return "N";
  if (is_one_of<Number, OptionalNumber>(type)) return "X";
  if (is_one_of<Integers>(type)) return "N,N,...";
  if (is_one_of<Pair>(type)) return "NxN";
  if (is_one_of<Choice>(type)) return "NAME";
  if (is_one_of<Texts, Choices>(type)) return "NAME,NAME,...";
  if (is_one_of<Matrix>(type)) return "[[X,...],...]";
  return key.unit.empty() ? "TEXT" : std::string(key.unit);
}

/// "K, the number of causal factors alpha (from 1 to 64; latents)"
std::string help_of(const Key& key) {
  std::string text(key.doc), range;
  if (text.ends_with('.')) text.pop_back();
  if (!is_one_of<Toggle, Text, Texts, Path, Matrix>(key.type)) range = allowed(key.type);
  for (const std::string_view kind :
       {"a number", "an integer", "a list of integers", "a list of two integers"})
    if (range.starts_with(kind)) range.erase(0, kind.size() + 1);
  const std::string_view unit = is_one_of<Text, Path>(key.type) ? "" : key.unit;
  if (range.empty() && unit.empty()) return text;
  return fmt::format("{} ({}{}{})", text, range, range.empty() || unit.empty() ? "" : "; ", unit);
}

/// As a person types it.
std::string typed(const Type& type, const Values& values) {
  std::string text = written(type, values);
  if (is_one_of<Text, Path, Choice>(type)) return nlohmann::json::parse(text).get<std::string>();
  if (is_one_of<Matrix>(type)) return text;
  std::erase_if(text,
                [](char letter) { return std::string_view("[]\" ").find(letter) != std::string::npos; });
  if (is_one_of<Pair>(type)) std::replace(text.begin(), text.end(), ',', 'x');
  return text;
}

}  // namespace

void add_flags(CLI::App& command, const std::vector<Key>& keys, const std::shared_ptr<Values>& values) {
  for (const Key& key : keys) {
    std::string name(key.name);
    std::replace(name.begin(), name.end(), '_', '-');
    const auto take = [key, values, place = "--" + name](const std::string& text) {
      if (text.empty()) fail_usage("{} is empty, but must be {}", place, allowed(key.type));
      assign(key, text, place, *values);
    };
    if (const auto* toggle = std::get_if<Toggle>(&key.type)) {
      const bool on = toggle->at(*values);
      command.add_flag_callback((on ? "--no-" : "--") + name, [=] { take(on ? "false" : "true"); },
                                help_of(key));
    } else {
      CLI::Option* option = command.add_option_function<std::string>("--" + name, take, help_of(key))
                                ->type_name(kind_of(key))
                                ->default_str(typed(key.type, *values));
      if (is_one_of<Integers, Texts, Choices>(key.type)) option->join(',');
    }
  }
}

}  // namespace whence::cli
