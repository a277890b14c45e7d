#include "report/svg.h"

#include <cstdlib>
#include <unordered_map>

#include "report/canvas.h"
#include "report/text.h"
#include "whence/core/error.h"

namespace whence::report {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

void remove_element(std::string& svg, std::string_view name) {
  const std::size_t start = svg.find(fmt::format("<{}>", name));
  if (start == std::string::npos) return;
  const std::string closing = fmt::format("</{}>", name);
  const std::size_t end = svg.find(closing, start);
  if (end != std::string::npos) svg.erase(start, end + closing.size() - start);
}

/// A number of a path with at most two decimals; any other text as it is.
std::string short_number(std::string_view number) {
  if (number.find('.') == std::string_view::npos) return std::string(number);
  std::string text = fmt::format("{:.2f}", std::strtod(std::string(number).c_str(), nullptr));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace

std::string number_ids(std::string_view svg) {
  std::unordered_map<std::string_view, std::size_t> numbers;
  std::string result;
  result.reserve(svg.size());
  while (!svg.empty()) {
    std::size_t lead = 0;
    for (const std::string_view prefix : {" id=\"", "\"#", "(#"})
      if (svg.starts_with(prefix)) lead = prefix.size();
    const std::size_t next =
        std::min(svg.find_first_of(lead == 0 ? " \"(" : "\")", std::max<std::size_t>(lead, 1)), svg.size());
    if (lead == 0) {
      result += svg.substr(0, next);
    } else {
      const auto known = numbers.try_emplace(svg.substr(lead, next - lead), numbers.size()).first;
      result += fmt::format("{}i{}", svg.substr(0, lead), known->second);
    }
    svg.remove_prefix(next);
  }
  return result;
}

std::string shorten_paths(std::string_view svg) {
  constexpr std::string_view path = " d=\"";
  std::string result;
  result.reserve(svg.size());
  while (!svg.empty()) {
    const std::size_t begin = svg.find(path);
    const std::size_t start = begin == std::string_view::npos ? svg.size() : begin + path.size();
    const std::size_t end = std::min(svg.find('"', start), svg.size());
    result += svg.substr(0, start);
    for (std::string_view data = svg.substr(start, end - start); !data.empty();) {
      const std::size_t sign = data.front() == '-' ? 1 : 0;
      const std::size_t length =
          std::max<std::size_t>(1, std::min(data.find_first_not_of("0123456789.", sign), data.size()));
      result += short_number(data.substr(0, length));
      data.remove_prefix(length);
    }
    svg.remove_prefix(end);
  }
  return result;
}

std::string finish_svg(std::string svg, std::string_view title) {
  svg = shorten_paths(svg);
  remove_element(svg, "title");
  remove_element(svg, "desc");
  const std::string with_fallbacks =
      fmt::format("font-family=\"{}, Verdana, Helvetica, Arial, sans-serif\"", font_family);
  replace_all(svg, fmt::format("font-family=\"{}:Bold\"", font_family),
              with_fallbacks + " font-weight=\"bold\"");
  replace_all(svg, fmt::format("font-family=\"{}\"", font_family), with_fallbacks);
  const std::size_t root = svg.find("<svg");
  const std::size_t open_end = svg.find('>', root);
  TORCH_CHECK(root != std::string::npos && open_end != std::string::npos, "not an SVG");
  svg.insert(open_end + 1, fmt::format("\n<title>{}</title>", escape_markup(title)));
  svg.insert(root + 4, R"( image-rendering="pixelated")");  // every image inherits it
  return svg;
}

SvgSize svg_size(std::string_view svg, const std::string& where) {
  constexpr std::string_view key = "viewBox=";
  const std::size_t at = svg.substr(0, 2000).find(key);
  SvgSize size;
  if (at != std::string_view::npos) {
    const std::string numbers(svg.substr(at + key.size() + 1, 100));
    char* rest = nullptr;
    std::strtod(numbers.c_str(), &rest);
    std::strtod(rest, &rest);
    size.width = std::strtod(rest, &rest);
    size.height = std::strtod(rest, &rest);
  }
  if (!(size.width > 0 && size.height > 0))
    fail("{} is not an SVG figure (it has no viewBox); draw it again or remove it", where);
  return size;
}

}  // namespace whence::report
