#include "whence/data/text/vocabulary.h"

#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::data {
namespace {

const std::string kUnknownWord = "<unknown>";

Words frequent_words(const std::vector<Words>& texts, std::int64_t least) {
  std::unordered_map<std::string, std::int64_t> counts;
  for (const Words& words : texts)
    for (const std::string& word : words) ++counts[word];
  std::vector<std::pair<std::int64_t, std::string>> order;
  for (const auto& [word, count] : counts)
    if (count >= least) order.emplace_back(-count, word);
  std::sort(order.begin(), order.end());
  Words words;
  for (auto& [count, word] : order) words.push_back(std::move(word));
  if (words.empty())
    fail("no word stands {} times in the texts, so there is no vocabulary; lower the minimum", least);
  return words;
}

}  // namespace

Vocabulary::Vocabulary(const std::vector<Words>& texts, std::int64_t least)
    : Vocabulary(frequent_words(texts, least)) {}

Vocabulary::Vocabulary(const Words& words) : words_{"<end>", kUnknownWord} {
  for (const std::string& word : words) {
    numbers_.emplace(word, size());
    words_.push_back(word);
  }
}

Words Vocabulary::words() const { return {words_.begin() + kFirstWord, words_.end()}; }

std::int64_t Vocabulary::number_of(const std::string& word) const {
  const auto found = numbers_.find(word);
  return found == numbers_.end() ? kUnknown : found->second;
}

std::vector<std::int64_t> Vocabulary::numbers_of(const Words& words) const {
  std::vector<std::int64_t> numbers;
  for (const std::string& word : words) numbers.push_back(number_of(word));
  return numbers;
}

bool Vocabulary::knows_all(const Words& words) const {
  return std::all_of(words.begin(), words.end(),
                     [&](const std::string& word) { return numbers_.contains(word); });
}

Words Vocabulary::words_of(const std::vector<std::int64_t>& numbers) const {
  Words words;
  for (const std::int64_t number : numbers) {
    if (number == kEnd) break;
    words.push_back(word(number));
  }
  return words;
}

at::Tensor Vocabulary::translation_from(const Vocabulary& other) const {
  std::vector<std::int64_t> numbers = {kEnd, kUnknown};
  for (const std::string& word : other.words()) numbers.push_back(number_of(word));
  return at::tensor(numbers, at::kLong);
}

void Vocabulary::save(const std::filesystem::path& path) const {
  std::string text;
  for (const std::string& word : words()) text += word + "\n";
  write_file(path, text);
}

Vocabulary Vocabulary::load(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  if (const std::int64_t line = first_line_not_utf8(text); line > 0)
    fail("{}:{}: not UTF-8; convert the file", path.string(), line);
  Words words;
  std::unordered_map<std::string, std::int64_t> lines;
  for (std::size_t at = 0, line = 1; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string word = text.substr(at, end - at);
    const auto [known, is_new] = lines.emplace(word, static_cast<std::int64_t>(line));
    if (!is_new) fail("{}:{}: '{}' stands in line {} already", path.string(), line, word, known->second);
    words.push_back(std::move(word));
    at = end + 1;
  }
  if (words.empty()) fail("{} holds no word", path.string());
  return Vocabulary(words);
}

at::Tensor to_numbers(const Vocabulary& vocabulary, const std::vector<Words>& texts, std::int64_t most) {
  std::int64_t longest = 1;
  for (const Words& words : texts) longest = std::max(longest, static_cast<std::int64_t>(words.size()));
  if (most > 0) longest = std::min(longest, most);
  const auto rows = static_cast<std::int64_t>(texts.size());
  at::Tensor numbers = at::full({rows, longest}, Vocabulary::kEnd, at::kLong);
  for (std::int64_t row = 0; row < rows; ++row) {
    std::vector<std::int64_t> own = vocabulary.numbers_of(texts[static_cast<std::size_t>(row)]);
    if (own.empty()) own = {Vocabulary::kUnknown};
    if (std::ssize(own) > longest) own.resize(static_cast<std::size_t>(longest));
    numbers[row].narrow(0, 0, std::ssize(own)).copy_(at::tensor(own, at::kLong));
  }
  return numbers;
}

at::Tensor stacked(const std::vector<at::Tensor>& numbers) {
  std::int64_t longest = 0;
  for (const at::Tensor& part : numbers) longest = std::max(longest, part.size(1));
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : numbers)
    parts.push_back(at::constant_pad_nd(part, {0, longest - part.size(1)}, Vocabulary::kEnd));
  return at::cat(parts);
}

at::Tensor lengths_of(const at::Tensor& numbers) {
  return numbers.ne(Vocabulary::kEnd).to(at::kLong).cumprod(1).sum(1);
}

double coverage(const Vocabulary& vocabulary, const WordVectors& vectors) {
  std::int64_t known = 0;
  const Words words = vocabulary.words();
  for (const std::string& word : words) known += vectors.rows.contains(word) ? 1 : 0;
  return static_cast<double>(known) / static_cast<double>(words.size());
}

at::Tensor initial_embedding(const Vocabulary& vocabulary, const std::vector<WordVectors>& vectors,
                             std::int64_t width, double deviation, at::Generator& generator) {
  at::Tensor table = at::normal(0.0, deviation, {vocabulary.size(), width}, generator);
  std::int64_t column = 0;
  for (const WordVectors& file : vectors) {
    const std::int64_t columns = std::min(file.dimensions(), width - column);
    if (columns <= 0) break;
    const at::Tensor scaled = file.values * (deviation / file.values.std());
    for (std::int64_t i = Vocabulary::kFirstWord; i < vocabulary.size(); ++i) {
      const auto found = file.rows.find(vocabulary.word(i));
      if (found != file.rows.end())
        table[i].narrow(0, column, columns).copy_(scaled[found->second].narrow(0, 0, columns));
    }
    column += columns;
  }
  return table;
}

}  // namespace whence::data
