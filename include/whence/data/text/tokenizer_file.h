// How a model cuts texts, as its files tell.
#pragma once

#include <filesystem>
#include <string>

#include "whence/data/text/texts.h"

namespace whence::data {

struct ModelTokenizer {
  Tokenizer tokenizer;
  Words words;  ///< the model's pieces in the order of their numbers; a number without a piece is "[none N]"
  std::string unknown;  ///< the one that stands for what it does not know
  Words before, after;  ///< pieces in front of each text and behind it
};

/// Of a file that is
///   *.txt            BERT's word pieces, one a line (WordPieces); "[CLS]" and "[SEP]" stand around a text
///   *.json           a tokenizer.json as the package tokenizers writes it: models "WordPiece", and "BPE" of bytes with GPT-2's words (BytePairs). Texts may be
///                    normalised by "Lowercase" or "NFC" before they are cut into byte pairs.
/// A model of byte pairs knows every text; `unknown` is then its unknown token, "<unk>", or the last of its added tokens.
/// Errors (file named): those of Vocabulary::load; a list without "[UNK]"; broken JSON; a model, normalizer or cut into words that is none of these
/// (named).
ModelTokenizer read_tokenizer(const std::filesystem::path& file);

/// The words of a model in the order of its numbers: those of a tokenizer (a .json file), or the lines of any other file. Errors: as above.
Words read_model_words(const std::filesystem::path& file);

}  // namespace whence::data
