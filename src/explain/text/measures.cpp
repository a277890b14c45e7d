#include "whence/explain/text/measures.h"

#include <map>

#include "whence/data/text/vocabulary.h"

namespace whence::text {

using data::Vocabulary;

std::vector<Numbers> rows_of(const at::Tensor& numbers) {
  std::vector<Numbers> rows;
  const at::Tensor lengths = data::lengths_of(numbers);
  for (std::int64_t row = 0; row < numbers.size(0); ++row) {
    Numbers own;
    const at::Tensor values = numbers[row];
    for (std::int64_t t = 0, length = lengths[row].item<std::int64_t>(); t < length; ++t)
      own.push_back(values[t].item<std::int64_t>());
    rows.push_back(std::move(own));
  }
  return rows;
}

double words_kept(const Numbers& a, const Numbers& b) {
  if (a.empty() && b.empty()) return 1;
  std::map<std::int64_t, std::int64_t> left;
  for (const std::int64_t word : a) ++left[word];
  std::int64_t common = 0;
  for (const std::int64_t word : b)
    if (auto found = left.find(word); found != left.end() && found->second > 0) {
      --found->second;
      ++common;
    }
  return 2 * static_cast<double>(common) / static_cast<double>(a.size() + b.size());
}

at::Tensor words_kept(const at::Tensor& a, const at::Tensor& b) {
  const std::vector<Numbers> ours = rows_of(a), theirs = rows_of(b);
  std::vector<double> all;
  for (std::size_t i = 0; i < ours.size(); ++i) all.push_back(words_kept(ours[i], theirs[i]));
  return at::tensor(all, a.options().dtype(at::kDouble));
}

bool repeats(const Numbers& text) {
  std::set<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    if (text[i] == text[i + 1] || !pairs.insert({text[i], text[i + 1]}).second) return true;
  return false;
}

double repeat_share(const at::Tensor& texts) {
  double count = 0;
  for (const Numbers& text : rows_of(texts)) count += repeats(text) ? 1 : 0;
  return count / static_cast<double>(std::max<std::int64_t>(1, texts.size(0)));
}

double copy_share(const at::Tensor& texts, const std::set<Numbers>& known) {
  double count = 0;
  for (const Numbers& text : rows_of(texts)) count += known.contains(text) ? 1 : 0;
  return count / static_cast<double>(std::max<std::int64_t>(1, texts.size(0)));
}

double distinct_pairs(const at::Tensor& texts) {
  std::set<std::pair<std::int64_t, std::int64_t>> different;
  double count = 0;
  for (const Numbers& text : rows_of(texts))
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      different.insert({text[i], text[i + 1]});
      ++count;
    }
  return count == 0 ? 0 : static_cast<double>(different.size()) / count;
}

NaiveBayes::NaiveBayes(const at::Tensor& texts, const at::Tensor& labels, std::int64_t words,
                       std::int64_t classes) {
  const at::Tensor counts = at::zeros({words, classes}, texts.options().dtype(at::kDouble));
  const at::Tensor place = (texts * classes + labels.unsqueeze(1)).flatten();
  counts.view({-1}).index_add_(0, place, at::ones(place.sizes(), counts.options()));
  counts[Vocabulary::kEnd].fill_(0);
  log_words_ = ((counts + 1) / (counts.sum(0) + static_cast<double>(words - 1))).log();
  log_words_[Vocabulary::kEnd].fill_(0);
  log_classes_ = (labels.bincount({}, classes).to(at::kDouble) + 1).log();
}

at::Tensor NaiveBayes::classify(const at::Tensor& texts) const {
  const at::Tensor known =
      texts * data::lengths_of(texts).unsqueeze(1).gt(at::arange(texts.size(1), texts.options()));
  return (at::embedding(log_words_, known).sum(1) + log_classes_).argmax(1);
}

}  // namespace whence::text
