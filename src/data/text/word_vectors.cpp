#include <charconv>

#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/data/text/vocabulary.h"

namespace whence::data {
namespace {

/// The numbers behind the word of a line. `place` is file and line.
void add_numbers(std::string_view line, const std::string& place, std::vector<float>& values) {
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view cell = line.substr(0, end);
    float value = 0;
    const auto [last, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc() || last != cell.data() + cell.size())
      fail("{}: '{}' is not a number; a line must be a word and its numbers", place, cell);
    values.push_back(value);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

}  // namespace

WordVectors read_word_vectors(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  if (const std::int64_t line = first_line_not_utf8(text); line > 0)
    fail("{}:{}: not UTF-8; convert the file", path.string(), line);
  WordVectors vectors;
  std::vector<float> values;
  std::size_t width = 0;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const std::string place = fmt::format("{}:{}", path.string(), number);
    const std::size_t space = line.find(' '), before = values.size();
    if (space == std::string_view::npos) fail("{}: a word without numbers", place);
    add_numbers(line.substr(space + 1), place, values);
    if (number == 1) width = values.size();
    if (values.size() - before != width)
      fail("{}: {} numbers, but the first line has {}", place, values.size() - before, width);
    const auto row = static_cast<std::int64_t>(vectors.rows.size());
    if (!vectors.rows.emplace(line.substr(0, space), row).second)
      fail("{}: '{}' has a vector already", place, line.substr(0, space));
  }
  if (vectors.rows.empty()) fail("{} holds no word vector", path.string());
  vectors.values = at::tensor(values).view({std::ssize(vectors.rows), static_cast<std::int64_t>(width)});
  return vectors;
}

}  // namespace whence::data
