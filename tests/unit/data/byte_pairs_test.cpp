// Byte pairs and tokenizer files beside the package tokenizers (tests/fixtures/make_byte_pairs.py).
#include "whence/data/text/byte_pairs.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/files.h"
#include "whence/core/files.h"
#include "whence/data/text/tokenizer_file.h"

namespace whence::data {
namespace {

using whence::test::expect_error;
using whence::test::put;
using whence::test::TemporaryFolder;

nlohmann::json known_tokenizers() {
  return nlohmann::json::parse(read_file(std::filesystem::path(WHENCE_FIXTURES) / "texts/byte-pairs.json"));
}

TEST(BytePairs, AreThoseOfThePackageTokenizers) {
  const TemporaryFolder folder;
  std::int64_t cases = 0;
  for (const nlohmann::json& known : known_tokenizers()) {
    put(folder / "tokenizer.json", known.at("tokenizer").dump());
    const ModelTokenizer model = read_tokenizer(folder / "tokenizer.json");
    EXPECT_EQ(model.before, known.at("before").get<Words>());
    EXPECT_EQ(model.after, known.at("after").get<Words>());
    for (const nlohmann::json& each : known.at("cases")) {
      const Words pieces = model.tokenizer.cut(each.at("text").get<std::string>());
      EXPECT_EQ(pieces, each.at("pieces").get<Words>()) << each.at("text");
      EXPECT_EQ(model.tokenizer.join(pieces), each.at("shown").get<std::string>()) << each.at("text");
      ++cases;
    }
    for (const auto& [piece, number] : known.at("tokenizer").at("model").at("vocab").items())
      EXPECT_EQ(model.words.at(number.get<std::size_t>()), piece);
    EXPECT_EQ(read_model_words(folder / "tokenizer.json"), model.words);
  }
  EXPECT_GT(cases, 500);
}

TEST(BytePairs, MergeTheEarliestPairFirst) {
  const Words pieces = {"a", "b", "c", "ab", "bc"};
  const BytePairs first(pieces, {{"a", "b"}, {"b", "c"}}, {});
  EXPECT_EQ(first("abcab"), (Words{"ab", "c", "ab"}));
  const BytePairs second(pieces, {{"b", "c"}, {"a", "b"}}, {});
  EXPECT_EQ(second("abcab"), (Words{"a", "bc", "ab"}));
}

TEST(BytePairs, OptionsDoWhatTheySay) {
  const Words pieces = {"a", "b", "ab", "Ġ", "Ġa"};
  EXPECT_EQ(BytePairs(pieces, {{"Ġ", "a"}}, {.space_in_front = true})("ab"), (Words{"Ġa", "b"}));
  EXPECT_EQ(BytePairs(pieces, {}, {.whole_words = true})("ab"), (Words{"ab"}));
  EXPECT_EQ(BytePairs(pieces, {}, {})("axb"), (Words{"a", "b"}));
  EXPECT_EQ(BytePairs(pieces, {}, {.unknown = "?"})("axb"), (Words{"a", "?", "b"}));
}

TEST(BytePairs, WordsAreThoseOfTheText) {
  EXPECT_EQ(words_with_spaces("it's  12 ok!"), (Words{"it", "'s", " ", " 12", " ok", "!"}));
  EXPECT_EQ(words_with_spaces("a\n\n b"), (Words{"a", "\n\n", " b"}));
  EXPECT_EQ(words_with_spaces(""), Words{});
}

TEST(TokenizerFile, ListsAreWordPieces) {
  const TemporaryFolder folder;
  put(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nfilm\n##s\n");
  const ModelTokenizer model = read_tokenizer(folder / "vocab.txt");
  EXPECT_EQ(model.tokenizer.cut("films"), (Words{"film", "##s"}));
  EXPECT_EQ(model.unknown, "[UNK]");
  EXPECT_EQ(model.before, Words{"[CLS]"});
  EXPECT_EQ(model.after, Words{"[SEP]"});
  put(folder / "tokenizer.json",
      R"({"model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "film": 3, "##s": 1}},
          "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 4], "sep": ["[SEP]", 5]},
          "added_tokens": [{"id": 4, "content": "[CLS]"}, {"id": 5, "content": "[SEP]"}]})");
  const ModelTokenizer same = read_tokenizer(folder / "tokenizer.json");
  EXPECT_EQ(same.tokenizer.cut("films"), (Words{"film", "##s"}));
  EXPECT_EQ(same.words, (Words{"[UNK]", "##s", "[none 2]", "film", "[CLS]", "[SEP]"}));
  EXPECT_EQ(same.before, Words{"[CLS]"});
}

TEST(TokenizerFile, ErrorsNameTheFileAndThePart) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "tokenizer.json";
  const nlohmann::json good = known_tokenizers().at(0).at("tokenizer");
  const auto expect_refused = [&](const char* part, const nlohmann::json& value,
                                  const std::vector<std::string>& sentence) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(part)] = value;
    put(file, bad.dump());
    expect_error([&] { read_tokenizer(file); }, sentence);
  };
  expect_refused("/model/type", "Unigram", {"tokenizer.json", "the model is 'Unigram'"});
  expect_refused("/pre_tokenizer", {{"type", "Metaspace"}}, {"the pre-tokenizer is 'Metaspace'"});
  expect_refused("/normalizer", {{"type", "Precompiled"}}, {"the normalizer is 'Precompiled'"});
  expect_refused("/post_processor", {{"type", "Other"}}, {"the post-processor is 'Other'"});
  expect_refused("/model/merges", {"ab"}, {"tokenizer.json", "the merge 'ab' has one part only"});
  expect_refused("/model/vocab/film", 1e12, {"tokenizer.json", "a piece has the number"});
  expect_refused("/model/vocab", "text", {"tokenizer.json is no tokenizer.json"});
  put(file, "{\"model\":");
  expect_error([&] { read_tokenizer(file); }, {"tokenizer.json is no tokenizer.json"});
}

}  // namespace
}  // namespace whence::data
