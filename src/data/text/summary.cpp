#include "whence/data/text/summary.h"

#include <set>

namespace whence::data {
namespace {

TextSummary::Split summary_of(const TextSet& set, std::string name, const Vocabulary& vocabulary,
                              std::set<Words>& train) {
  TextSummary::Split split;
  split.name = std::move(name);
  split.texts = set.size();
  split.per_class.resize(set.class_names.size());
  std::vector<std::int64_t> lengths;
  std::int64_t known = 0;
  const bool is_train = train.empty();
  for (const LabelledText& text : set.texts) {
    lengths.push_back(std::ssize(text.words));
    split.words += lengths.back();
    ++split.per_class[static_cast<std::size_t>(text.label)];
    for (const std::int64_t number : vocabulary.numbers_of(text.words))
      known += number == Vocabulary::kUnknown ? 0 : 1;
    split.in_train +=
        is_train ? (train.insert(text.words).second ? 0 : 1) : (train.contains(text.words) ? 1 : 0);
  }
  if (lengths.empty()) return split;
  std::sort(lengths.begin(), lengths.end());
  split.shortest = lengths.front();
  split.median = lengths[lengths.size() / 2];
  split.longest = lengths.back();
  split.known = split.words == 0 ? 0 : static_cast<double>(known) / static_cast<double>(split.words);
  return split;
}

}  // namespace

TextSummary summary_of(const TextSplits& splits, std::int64_t least) {
  std::vector<Words> texts;
  for (const LabelledText& text : splits.train.texts) texts.push_back(text.words);
  const Vocabulary vocabulary(texts, least);
  std::set<Words> train;
  TextSummary summary{
      {}, splits.train.class_names, splits.phrases.size(), vocabulary.size() - Vocabulary::kFirstWord, least};
  // In this order: the training texts fill `train`.
  summary.splits.push_back(summary_of(splits.train, "training", vocabulary, train));
  summary.splits.push_back(summary_of(splits.validation, "validation", vocabulary, train));
  summary.splits.push_back(summary_of(splits.test, "test", vocabulary, train));
  return summary;
}

nlohmann::json to_json(const TextSummary& summary) {
  nlohmann::json splits = nlohmann::json::object();
  for (const TextSummary::Split& split : summary.splits)
    splits[split.name] = {
        {"texts", split.texts},
        {"words", split.words},
        {"length", {{"shortest", split.shortest}, {"median", split.median}, {"longest", split.longest}}},
        {"per_class", split.per_class},
        {"known_words", split.known},
        {"in_training", split.in_train}};
  return {{"classes", summary.class_names},
          {"phrases", summary.phrases},
          {"vocabulary", {{"words", summary.vocabulary}, {"least", summary.least}}},
          {"splits", splits}};
}

}  // namespace whence::data
