#include "whence/data/text/files.h"

#include <nlohmann/json.hpp>

#include "data/paths.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/names.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

std::string read_utf8(const fs::path& file) {
  std::string text = read_file(file);
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (const std::int64_t line = first_line_not_utf8(text); line > 0)
    fail("{}:{}: not UTF-8; convert the file", file.string(), line);
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

struct Row {
  std::vector<std::string> cells;
  std::int64_t line = 0;  ///< where it begins
};

/// Cells of a table with quotes.
class TableReader {
 public:
  TableReader(std::string text, char separator, std::string file)
      : text_(std::move(text)), separator_(separator), file_(std::move(file)) {}

  /// Nothing at the end of the file. Empty lines are passed over.
  std::optional<Row> next() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) advance();
    if (at_ >= text_.size()) return std::nullopt;
    Row row{{}, line_};
    do row.cells.push_back(cell());
    while (more_);
    return row;
  }

 private:
  void advance() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  std::string cell() {
    std::string value = at_ < text_.size() && text_[at_] == '"' ? quoted() : "";
    while (at_ < text_.size() && text_[at_] != separator_ && text_[at_] != '\n') {
      if (text_[at_] != '\r') value += text_[at_];
      advance();
    }
    more_ = at_ < text_.size() && text_[at_] == separator_;
    if (at_ < text_.size()) advance();
    return value;
  }
  std::string quoted() {
    const std::int64_t begin = line_;
    std::string value;
    for (advance(); at_ < text_.size(); advance()) {
      if (text_[at_] == '"') {
        advance();
        if (at_ >= text_.size() || text_[at_] != '"') return value;
      }
      value += text_[at_];
    }
    fail("{}:{}: a quote is not closed", file_, begin);
  }

  std::string text_;
  char separator_;
  std::string file_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  bool more_ = false;
};

std::size_t column_of(const Row& header, const std::string& name, const std::string& file) {
  const auto found = std::find(header.cells.begin(), header.cells.end(), name);
  if (found != header.cells.end()) return static_cast<std::size_t>(found - header.cells.begin());
  const std::vector<std::string_view> names(header.cells.begin(), header.cells.end());
  fail("{}:{}: there is no column '{}'{}; the columns are {}", file, header.line, name,
       did_you_mean(name, names), fmt::join(header.cells, ", "));
}

std::vector<NamedText> read_table(const fs::path& file, char separator, const TextColumns& columns) {
  TableReader reader(read_utf8(file), separator, file.string());
  const std::optional<Row> header = reader.next();
  if (!header) fail("{} is empty; its first line must name the columns", file.string());
  const std::size_t text = column_of(*header, columns.text, file.string()),
                    label = column_of(*header, columns.label, file.string());
  std::vector<NamedText> texts;
  while (const std::optional<Row> row = reader.next()) {
    const std::string place = fmt::format("{}:{}", file.string(), row->line);
    if (row->cells.size() != header->cells.size())
      fail("{}: {} cells, but the first line names {} columns; put texts with separators into quotes", place,
           row->cells.size(), header->cells.size());
    texts.push_back({row->cells[text], row->cells[label], place});
  }
  return texts;
}

std::string field(const nlohmann::json& object, const std::string& name, const std::string& place) {
  if (!object.is_object() || !object.contains(name)) {
    std::vector<std::string> known;
    if (object.is_object())
      for (const auto& [key, value] : object.items()) known.push_back(key);
    const std::vector<std::string_view> names(known.begin(), known.end());
    fail("{}: there is no \"{}\"{}", place, name, did_you_mean(name, names));
  }
  const nlohmann::json& value = object.at(name);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<NamedText> read_json_lines(const fs::path& file, const TextColumns& columns) {
  const std::string text = read_utf8(file);
  std::vector<NamedText> texts;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at), place = fmt::format("{}:{}", file.string(), number);
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const nlohmann::json object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (object.is_discarded()) fail("{}: not JSON; a line must be an object", place);
    texts.push_back({field(object, columns.text, place), field(object, columns.label, place), place});
  }
  return texts;
}

std::vector<fs::path> sorted(const fs::path& folder, bool folders) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder))
    if (is_folder(entry.path()) == folders && !entry.path().filename().string().starts_with('.'))
      entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

void check_texts(const std::vector<NamedText>& texts, const std::string& place) {
  if (texts.empty()) fail("{} holds no text", place);
  for (const NamedText& text : texts)
    if (tokenize(text.text).empty()) fail("{}: the text is empty; leave the line out", text.place);
}

}  // namespace

std::vector<NamedText> read_text_file(const fs::path& file, const TextColumns& columns) {
  const std::string ending = file.extension().string();
  std::vector<NamedText> texts;
  if (ending == ".csv" || ending == ".tsv")
    texts = read_table(file, ending == ".csv" ? ',' : '\t', columns);
  else if (ending == ".jsonl" || ending == ".ndjson")
    texts = read_json_lines(file, columns);
  else
    fail("{} ends in '{}'; texts come as .csv, .tsv, .jsonl or .ndjson", file.string(), ending);
  check_texts(texts, file.string());
  return texts;
}

std::vector<NamedText> read_text_folders(const fs::path& folder) {
  const std::vector<fs::path> classes = sorted(folder, /*folders=*/true);
  if (classes.empty()) fail("{} has no folder for each class", folder.string());
  std::vector<NamedText> texts;
  for (const fs::path& own : classes) {
    const std::size_t before = texts.size();
    for (const fs::path& file : sorted(own, /*folders=*/false))
      if (file.extension() == ".txt")
        texts.push_back({read_utf8(file), own.filename().string(), file.string()});
    if (texts.size() == before) fail("{} holds no .txt file", own.string());
  }
  check_texts(texts, folder.string());
  return texts;
}

}  // namespace whence::data
