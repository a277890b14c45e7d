#include "interchange/script_failure.h"

#include <fmt/format.h>
#include <torch/version.h>

#include <sstream>
#include <vector>

#include "interchange/script_symbols.h"
#include "nn/graph/shapes.h"

namespace whence::nn {
namespace {

constexpr std::string_view here = "<--- HERE", blank = " \t\r\n";

bool holds(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

std::string trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(blank);
  if (begin == std::string_view::npos) return "";
  return std::string(line.substr(begin, line.find_last_not_of(blank) + 1 - begin));
}

/// PyTorch's own Python files, which a module's author did not write.
bool is_of_pytorch(std::string_view file) {
  return holds(file, {"/torch/nn/", "/torch/functional", "torch/nn/modules", "/torch/_"});
}

/// The line that a traceback of TorchScript marks, in the deepest file of the author's own.
std::string marked_line(const std::string& traceback) {
  std::istringstream lines(traceback);
  std::string line, before, marked;
  bool own = true;
  while (std::getline(lines, line)) {
    if (line.find("original code") != std::string::npos && line.find("Traceback") != std::string::npos)
      own = true;
    if (trimmed(line).starts_with("File \"")) own = !is_of_pytorch(line);
    if (line.find(here) != std::string::npos && (own || marked.empty())) marked = trimmed(before);
    before = line;
  }
  return marked;
}

std::string at_line(const std::string& text) {
  const std::string line = marked_line(text);
  return line.empty() ? "" : fmt::format(" at \"{}\"", line);
}

/// What stands behind the tracebacks, which quote the module's code: "RuntimeError: reason".
std::string reason_of(const std::string& text) {
  if (text.find("Traceback of TorchScript") == std::string::npos)
    return text.substr(0, text.find("Exception raised from"));
  const std::size_t error = text.rfind("Error: ");
  if (error == std::string::npos) return text;
  const std::size_t line = text.rfind('\n', error);
  return text.substr(line == std::string::npos ? 0 : line + 1);
}

/// What the module itself raised: "builtins.ValueError: reason".
/// Or of an assertion, whose line the traceback marks.
std::string own_message(const std::string& reason, const std::string& line) {
  if (!reason.starts_with("builtins.") && !line.starts_with("assert ") && !line.starts_with("raise "))
    return "";
  const std::size_t begin =
      reason.rfind("Error: ") == std::string::npos ? reason.find(": ") : reason.rfind("Error: ") + 5;
  if (begin == std::string::npos) return "an error of its own";
  return fmt::format("\"{}\"", trimmed(reason.substr(begin + 2, reason.find('\n', begin) - begin - 2)));
}

}  // namespace

std::string failure_of(const std::exception& error, at::IntArrayRef shape) {
  const std::string text = error.what(), reason = reason_of(text);
  const std::string place = at_line(text), images = text_of(shape);
  if (const std::string own = own_message(reason, marked_line(text)); !own.empty())
    return fmt::format("refuses an input of shape {} with {}", images, own);
  if (holds(reason, {"can't allocate memory", "not enough memory", "out of memory"}))
    return fmt::format("needs more memory than this machine has for an input of shape {}", images);
  if (holds(reason, {"CUDA", "cuda", "same device", "HIP", "mps", "Could not run 'aten::empty"}))
    return fmt::format(
        "works on a device that it names itself{}; export it on the processor: model.cpu(), and no .cuda() "
        "or "
        ".to(\"cuda\") in its code",
        place);
  if (holds(reason, {"dtype", "scalar type", "Half", "BFloat16", "Double", "Long", "same type"}))
    return fmt::format("mixes kinds of numbers{}; export it in float32: model.float()", place);
  return fmt::format(
      "does not accept an input of shape {}{}; check which number of channels and which height and "
      "width it was made for",
      images, place);
}

std::string loading_failure_of(const std::exception& error) {
  const std::string text = error.what();
  if (const std::size_t at = text.find("Unknown builtin op: "); at != std::string::npos) {
    const std::size_t begin = at + std::string_view("Unknown builtin op: ").size();
    const std::string name = trimmed(text.substr(begin, text.find_first_of(".\n", begin) - begin));
    if (name.starts_with("prepacked") || name.starts_with("mkldnn") || name.starts_with("quantized"))
      return fmt::format(
          "was optimized for inference ({}), which leaves no gradients; export the model itself", name);
    return fmt::format(
        "uses the operator {}, which this LibTorch ({}) does not know; use a newer LibTorch, or one that has "
        "it",
        name, TORCH_VERSION);
  }
  if (holds(text, {"torch.classes", "MKLDNN", "mkldnn", "prepack", "'value' is undefined"}))
    return "was optimized for inference, with weights prepared for one machine; export the model itself";
  if (holds(text, {"version", "file format"}))
    return fmt::format(
        "was written by another version of PyTorch, which this LibTorch ({}) does not read; "
        "export it as .pt2 with torch.export.save, or use a newer LibTorch",
        TORCH_VERSION);
  return "";
}

std::string place_in_own_code(const torch::jit::Node& node) {
  const auto stack = node.callstack();
  if (!stack) return place_of(node);
  std::string place;
  for (const auto& entry : (*stack)->vec()) {
    torch::jit::SourceRange range = std::get<1>(entry);
    if (const auto origin = range.findSourceRangeThatGenerated()) range = *origin;
    const auto position = range.file_line_col();
    if (!range.source() || (position && is_of_pytorch(std::get<0>(*position)))) continue;
    const std::string line =
        trimmed(range.source()->get_line(range.source()->lineno_for_offset(range.start())).str());
    const std::string file =
        position ? fmt::format(" at {}:{}", std::get<0>(*position), std::get<1>(*position)) : "";
    place = fmt::format("{}{} ({})", node.kind().toQualString(), file, line);
  }
  return place.empty() ? place_of(node) : place;
}

}  // namespace whence::nn
