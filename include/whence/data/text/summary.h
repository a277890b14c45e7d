// What a set of texts is like: lengths, classes, words that are unknown, texts in two splits.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "whence/data/text/vocabulary.h"

namespace whence::data {

struct TextSummary {
  struct Split {
    std::string name;
    std::int64_t texts = 0, words = 0;
    std::int64_t shortest = 0, median = 0, longest = 0;  ///< in words
    std::vector<std::int64_t> per_class;
    double known = 0;  ///< share of its words that the vocabulary of the training texts has
    std::int64_t in_train =
        0;  ///< texts that also stand in the training split; in the training split: that stand there before
  };
  std::vector<Split> splits;  ///< training, validation, test
  std::vector<std::string> class_names;
  std::int64_t phrases = 0, vocabulary = 0, least = 0;
};

/// The vocabulary holds words that stand at least `least` times in the training texts.
TextSummary summary_of(const TextSplits& splits, std::int64_t least);
nlohmann::json to_json(const TextSummary& summary);

}  // namespace whence::data
