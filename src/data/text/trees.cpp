#include "whence/data/text/trees.h"

#include <array>
#include <map>

#include "data/layout.h"
#include "data/paths.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/data/known.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

constexpr std::int64_t kNeutral = 2;

/// Reads one tree from a line.
class TreeReader {
 public:
  TreeReader(std::string_view line, const std::string& place) : line_(line), place_(place) {}

  SentimentTree read() {
    node();
    skip_spaces();
    if (at_ < line_.size()) wrong("text behind the tree");
    return std::move(tree_);
  }

 private:
  [[noreturn]] void wrong(std::string_view what) const {
    fail("{}: {} at character {}; a line must be a tree such as (3 (2 A) (4 film))", place_, what, at_ + 1);
  }
  void skip_spaces() {
    while (at_ < line_.size() && line_[at_] == ' ') ++at_;
  }
  void expect(char bracket, std::string_view what) {
    skip_spaces();
    if (at_ >= line_.size() || line_[at_] != bracket) wrong(what);
    ++at_;
  }
  std::int64_t grade() {
    skip_spaces();
    const bool one_digit =
        at_ + 1 < line_.size() && line_[at_] >= '0' && line_[at_] <= '4' && line_[at_ + 1] == ' ';
    if (!one_digit) wrong("no grade from 0 to 4");
    return line_[at_++] - '0';
  }
  void word() {
    const std::size_t end = std::min(line_.find_first_of(" ()", at_), line_.size());
    if (end == at_) wrong("no word");
    std::string text(line_.substr(at_, end - at_));
    if (text == "-LRB-") text = "(";
    if (text == "-RRB-") text = ")";
    tree_.words.push_back(std::move(text));
    at_ = end;
  }
  void node() {
    constexpr int deepest = 2000;  // beyond it a line is no sentence
    if (++depth_ > deepest) wrong("brackets too deep");
    expect('(', "no opening bracket");
    const std::size_t own = tree_.phrases.size();
    tree_.phrases.push_back({grade(), tree_.words.size(), 0});
    skip_spaces();
    if (at_ < line_.size() && line_[at_] == '(') {
      node();
      node();
    } else {
      word();
    }
    expect(')', "no closing bracket");
    tree_.phrases[own].count = tree_.words.size() - tree_.phrases[own].first;
    --depth_;
  }

  std::string_view line_;
  const std::string& place_;
  std::size_t at_ = 0;
  int depth_ = 0;
  SentimentTree tree_;
};

bool holds_sst(const fs::path& folder) {
  return std::all_of(tree_files.begin(), tree_files.end(),
                     [&](std::string_view file) { return is_file(folder / file); });
}

std::vector<fs::path> places_of(const fs::path& path) {
  if (!path.empty()) return {path, path / "trees"};
  std::vector<fs::path> roots;
  if (const char* root = std::getenv("WHENCE_DATA"); root != nullptr && *root != '\0')
    roots.emplace_back(root);
  roots.emplace_back("data");
  roots.push_back(data_home());
  std::vector<fs::path> places;
  for (const fs::path& root : roots) places.insert(places.end(), {root / "sst", root / "sst" / "trees"});
  return places;
}

std::optional<std::int64_t> label_of(std::int64_t grade, SstClasses classes) {
  if (classes == SstClasses::graded) return grade;
  if (grade == kNeutral) return std::nullopt;
  return grade > kNeutral ? 1 : 0;
}

std::vector<std::string> class_names_of(SstClasses classes) {
  if (classes == SstClasses::binary) return {"negative", "positive"};
  return {"very negative", "negative", "neutral", "positive", "very positive"};
}

Words cut(Words words, const std::optional<Tokenizer>& tokenizer) {
  return tokenizer ? tokenizer->cut(join_words(words)) : lower_case(std::move(words));
}

TextSet sentences_of(const std::vector<SentimentTree>& trees, SstClasses classes,
                     const std::optional<Tokenizer>& tokenizer) {
  TextSet set{{}, class_names_of(classes)};
  for (const SentimentTree& tree : trees)
    if (const auto label = label_of(tree.grade(), classes))
      set.texts.push_back({cut(tree.words, tokenizer), *label});
  return set;
}

std::vector<float> target_of(std::int64_t grade, SstClasses classes) {
  if (classes == SstClasses::binary) {
    constexpr std::array<float, 5> positive = {0, 0, 0.5F, 1, 1};
    const float share = positive[static_cast<std::size_t>(grade)];
    return {1 - share, share};
  }
  std::vector<float> target(5, 0);
  target[static_cast<std::size_t>(grade)] = 1;
  return target;
}

/// A phrase that stands in several sentences has the mean of their targets; equal sentences differ in their judges.
Phrases phrases_of(const std::vector<SentimentTree>& trees, SstClasses classes,
                   const std::optional<Tokenizer>& tokenizer) {
  Phrases phrases;
  std::map<Words, std::pair<std::size_t, float>> known;  // row and how often it stands
  std::vector<std::vector<float>> targets;
  for (const SentimentTree& tree : trees) {
    for (const TreePhrase& phrase : tree.phrases) {
      const std::vector<float> target = target_of(phrase.grade, classes);
      Words words = cut(tree.words_of(phrase), tokenizer);
      if (words.empty()) continue;
      const auto [place, is_new] = known.emplace(words, std::pair{targets.size(), 0.0F});
      auto& [row, count] = place->second;
      if (is_new) {
        phrases.words.push_back(std::move(words));
        targets.emplace_back(target.size(), 0.0F);
      }
      ++count;
      for (std::size_t i = 0; i < target.size(); ++i)
        targets[row][i] += (target[i] - targets[row][i]) / count;
    }
  }
  std::vector<float> all;
  for (const auto& target : targets) all.insert(all.end(), target.begin(), target.end());
  phrases.targets = at::tensor(all).view({std::ssize(targets), -1});
  return phrases;
}

}  // namespace

Words SentimentTree::words_of(const TreePhrase& phrase) const {
  const auto first = words.begin() + static_cast<std::ptrdiff_t>(phrase.first);
  return {first, first + static_cast<std::ptrdiff_t>(phrase.count)};
}

SentimentTree parse_tree(std::string_view line, const std::string& place) {
  return TreeReader(line, place).read();
}

std::vector<SentimentTree> read_trees(const fs::path& path) {
  const std::string text = read_file(path);
  if (const std::int64_t line = first_line_not_utf8(text); line > 0)
    fail("{}:{}: not UTF-8; convert the file", path.string(), line);
  std::vector<SentimentTree> trees;
  for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(' ') != std::string_view::npos)
      trees.push_back(parse_tree(line, fmt::format("{}:{}", path.string(), number)));
    at = end + 1;
  }
  if (trees.empty()) fail("{} holds no tree", path.string());
  return trees;
}

std::optional<fs::path> find_sst(const fs::path& path) {
  for (const fs::path& place : places_of(path))
    if (holds_sst(place)) return place;
  return std::nullopt;
}

TextSplits load_sst(const fs::path& path, SstClasses classes, const std::optional<Tokenizer>& tokenizer) {
  const auto folder = find_sst(path);
  if (!folder) {
    std::string looked;
    for (const fs::path& place : places_of(path)) looked += (looked.empty() ? "" : ", ") + place.string();
    fail(
        "the Stanford Sentiment Treebank (train.txt, dev.txt, test.txt) was not found in {}; "
        "`whence data fetch sst` gets it, or name its folder with data.path",
        looked);
  }
  TextSplits splits;
  const std::vector<SentimentTree> train = read_trees(*folder / tree_files[0]);
  splits.train = sentences_of(train, classes, tokenizer);
  splits.phrases = phrases_of(train, classes, tokenizer);
  splits.validation = sentences_of(read_trees(*folder / tree_files[1]), classes, tokenizer);
  const std::vector<SentimentTree> test = read_trees(*folder / tree_files[2]);
  splits.test = sentences_of(test, classes, tokenizer);
  splits.test_phrases = phrases_of(test, classes, tokenizer);
  return splits;
}

}  // namespace whence::data
