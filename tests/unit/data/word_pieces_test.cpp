// Word pieces beside those of BERT's tokenizer (tests/fixtures/make_word_pieces.py).
#include "whence/data/text/word_pieces.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/files.h"
#include "whence/core/files.h"

namespace whence::data {
namespace {

using whence::test::expect_error;
using whence::test::put;
using whence::test::TemporaryFolder;

TEST(WordPieces, AreThoseOfBert) {
  const std::filesystem::path file = std::filesystem::path(WHENCE_FIXTURES) / "texts/word-pieces.json";
  const nlohmann::json lists = nlohmann::json::parse(read_file(file));
  for (const nlohmann::json& list : lists) {
    const WordPieces cut(list.at("pieces").get<Words>(), "[UNK]");
    EXPECT_EQ(cut.keeps_case(), &list != &lists.front());
    for (const nlohmann::json& known : list.at("cases"))
      EXPECT_EQ(cut(known.at("text").get<std::string>()), known.at("pieces").get<Words>())
          << known.at("text");
  }
}

TEST(WordPieces, BytesThatAreNoTextAreLeftOut) {
  const WordPieces cut({"[UNK]", "a", "##b"}, "[UNK]");
  EXPECT_EQ(cut("a\xff\x62 \xc3"), (Words{"a", "##b"}));
}

TEST(WordPieces, AreShownAsWords) {
  const Tokenizer tokenizer =
      word_piece_tokenizer(WordPieces({"[UNK]", "un", "##play", "##able", "film"}, "[UNK]"));
  EXPECT_EQ(tokenizer.cut("Unplayable film!"), (Words{"un", "##play", "##able", "film", "[UNK]"}));
  EXPECT_EQ(tokenizer.join({"un", "##play", "##able", "film", "##", "#"}), "unplayable film ## #");
  EXPECT_EQ(tokenizer.join({"##able", "##s"}), "##ables");  // a piece without a beginning
}

TEST(WordPieces, FromAFile) {
  const TemporaryFolder folder;
  put(folder / "vocab.txt", "[PAD]\n[UNK]\nfilm\n##s\n");
  EXPECT_EQ(WordPieces::load(folder / "vocab.txt")("films film"), (Words{"film", "##s", "film"}));
  put(folder / "vocab.txt", "film\ngood\n");
  expect_error([&] { WordPieces::load(folder / "vocab.txt"); }, {"vocab.txt", "no line '[UNK]'"});
}

}  // namespace
}  // namespace whence::data
