// A user's own labelled texts: tables (CSV, TSV), JSON lines, or a folder for each class.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "whence/data/text/texts.h"

namespace whence::data {

struct TextColumns {
  std::string text = "text", label = "label";
};

/// A text and the name of its class, and where it stands ("reviews.csv:12").
struct NamedText {
  std::string text, label, place;
};

/// Reads one file by its ending. .csv and .tsv: a first line of column names, cells in quotes may hold separators, line ends and
/// doubled quotes (RFC 4180). .jsonl and .ndjson: an object a line; a label may be text or a number. Errors name file and line: not UTF-8, a missing
/// column (suggests the nearest), another count of cells than the first line has, a quote that is not closed, no JSON, an empty
/// text, no text in the file, an unknown ending.
std::vector<NamedText> read_text_file(const std::filesystem::path& file, const TextColumns& columns);

/// `folder`/<class>/*.txt, one text a file. Errors: no class, a class without a text, not UTF-8, an empty text.
std::vector<NamedText> read_text_folders(const std::filesystem::path& folder);

/// `path` is a file, or a folder with train, validation ("valid", "dev") and test as files or as folders, or one folder for each
/// class. Without a split, 15 % of the texts are held back for the test; without validation, 10 % of the training texts are held
/// back for it. The SHA-256 of its words decides whether a text is held back, so equal texts stay together. Classes are the
/// labels of the training texts, sorted. Errors besides: one class only (names
/// it), a label of another split that no training text has (names its place and the nearest class), a split without texts.
TextSplits load_texts(const std::filesystem::path& path, const TextColumns& columns,
                      const Tokenizer& tokenizer = word_tokenizer());

}  // namespace whence::data
