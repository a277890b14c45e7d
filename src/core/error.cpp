#include "whence/core/error.h"

#include <c10/util/Exception.h>

#include <new>
#include <regex>

namespace whence {
namespace {

/// TorchScript wraps the reason in a traceback over many lines and puts it last: "RuntimeError: reason".
std::string reason_in_traceback(const std::string& text) {
  const std::size_t at = text.rfind("Error: ");
  return at == std::string::npos ? text : text.substr(at + std::string_view("Error: ").size());
}

std::string without_source_positions(std::string text) {
  static const std::regex enforce(R"(\[enforce fail at [^\]]*\][ .]*)");
  static const std::regex exception(R"(\s*\(?Exception raised from[\s\S]*)");
  static const std::regex internal(R"(\s+at \"[^\"]*\":\d+)");
  static const std::regex bug(R"(,? ?please report a bug to PyTorch\.?)");
  for (const auto& pattern : {enforce, exception, internal, bug})
    text = std::regex_replace(text, pattern, "");
  return text;
}

/// Up to the end of the line, or to the first full stop that a capital letter follows.
std::string first_sentence(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  const std::size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
  for (std::size_t i = begin; i + 2 < end; ++i) {
    if (text[i] == '.' && text[i + 1] == ' ' && std::isupper(static_cast<unsigned char>(text[i + 2]))) {
      return text.substr(begin, i - begin);
    }
  }
  return text.substr(begin, end - begin);
}

std::string on_one_line(const std::string& text) {
  std::string line;
  bool gap = false;
  for (const char letter : text) {
    if (letter == ' ' || (letter >= '\t' && letter <= '\r')) {
      gap = !line.empty();
      continue;
    }
    if (gap) line += ' ';
    gap = false;
    line += letter;
  }
  return line;
}

}  // namespace

std::string sentence_of(const std::exception& error) {
  if (const auto* torch = dynamic_cast<const c10::Error*>(&error)) {
    std::string text = torch->what_without_backtrace();
    if (text.find("Traceback of TorchScript") != std::string::npos) text = reason_in_traceback(text);
    const std::string sentence = first_sentence(without_source_positions(text));
    return sentence.empty() ? "LibTorch failed without saying why" : on_one_line(sentence);
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr)
    return "this machine has not enough memory for it";
  const std::string sentence = on_one_line(error.what());
  return sentence.empty() ? "failed without saying why" : sentence;
}

}  // namespace whence
