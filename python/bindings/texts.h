// Roles of the module that are about texts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "whence/data/text/vocabulary.h"
#include "whence/models/text/classifier.h"

namespace whence::python {

/// A classifier of texts with the words that it knows, and how texts are cut into them.
struct TextReader {
  std::shared_ptr<models::TextClassifier> classifier;
  data::Vocabulary words;
  data::Tokenizer tokenizer = data::word_tokenizer();
};

/// Error (usage): a text without words (names its place).
std::vector<data::Words> words_of_texts(const std::vector<std::string>& texts,
                                        const data::Tokenizer& tokenizer);

void add_text_classifier(py::module_& module);
void add_explain_texts(py::module_& module);

/// Keys of [text] and [text_explanation] that a training in memory takes, with the values of recipes/text/sst.toml.
std::vector<config::Key> text_explanation_keys();
config::Values text_explanation_defaults();

}  // namespace whence::python
