#include "whence/core/error.h"

#include <c10/util/Exception.h>

#include <cctype>
#include <new>

namespace whence {
namespace {

constexpr const char* no_memory = "this machine has not enough memory for it";

bool is_about_memory(const std::string& text) {
  return text.find("can't allocate memory") != std::string::npos ||
         text.find("out of memory") != std::string::npos;
}

/// TorchScript wraps the reason in a traceback over many lines and puts it last: "RuntimeError: reason".
std::string reason_in_traceback(const std::string& text) {
  const std::size_t at = text.rfind("Error: ");
  return at == std::string::npos ? text : text.substr(at + std::string_view("Error: ").size());
}

/// Removes every piece of `text` from `begin` to the next `end`, both included; without an `end`, only
/// `begin`.
void remove_pieces(std::string& text, std::string_view begin, std::string_view end) {
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    const std::size_t stop = end.empty() ? std::string::npos : text.find(end, at + begin.size());
    text.erase(at, stop == std::string::npos ? begin.size() : stop + end.size() - at);
  }
}

std::string without_source_positions(std::string text) {
  text.erase(std::min(text.find("Exception raised from"), text.size()));
  remove_pieces(text, "[enforce fail at ", "] . ");
  remove_pieces(text, " at \"",
                ", ");  // INTERNAL ASSERT FAILED at "file.cpp":12, please report a bug to PyTorch.
  remove_pieces(text, "please report a bug to PyTorch.", "");
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
    if (is_about_memory(text)) return no_memory;
    if (text.find("Traceback of TorchScript") != std::string::npos) text = reason_in_traceback(text);
    const std::string sentence = first_sentence(without_source_positions(text));
    return sentence.empty() ? "LibTorch failed without saying why" : on_one_line(sentence);
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return no_memory;
  const std::string sentence = on_one_line(error.what());
  return sentence.empty() ? "failed without saying why" : sentence;
}

}  // namespace whence
