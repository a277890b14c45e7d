#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/files.h"
#include "whence/core/random.h"
#include "whence/data/text/batches.h"
#include "whence/data/text/files.h"
#include "whence/data/text/summary.h"
#include "whence/data/text/trees.h"
#include "whence/data/text/vocabulary.h"

namespace whence::data {
namespace {

using whence::test::expect_error;
using whence::test::put;

TEST(TextTokens, AreThoseOfThePennTreebank) {
  EXPECT_EQ(tokenize("It's good, isn't it?"), (Words{"It", "'s", "good", ",", "is", "n't", "it", "?"}));
  EXPECT_EQ(tokenize("a 3.5-star well-made film..."), (Words{"a", "3.5-star", "well-made", "film", "..."}));
  EXPECT_EQ(tokenize("(they'll) say \"no\""), (Words{"(", "they", "'ll", ")", "say", "\"", "no", "\""}));
  EXPECT_EQ(tokenize(" \t\n"), Words{});
  EXPECT_EQ(lower_case(tokenize("Café-Style")), Words{"café-style"});
}

TEST(TextTokens, FindTheLineThatIsNotUtf8) {
  EXPECT_EQ(first_line_not_utf8("good\ncafé\n"), 0);
  EXPECT_EQ(first_line_not_utf8("good\ncaf\xE9 au lait\n"), 2);
  EXPECT_EQ(first_line_not_utf8("\xC0\xAF"), 1);  // too long for what it says
  EXPECT_EQ(first_line_not_utf8("a\nb\nc\xE2\x82"), 3);
}

TEST(SentimentTrees, HaveTheirPhrasesInOrder) {
  const SentimentTree tree = parse_tree("(3 (2 A) (4 (3 good) (2 -LRB-)))", "x:1");
  EXPECT_EQ(tree.words, (Words{"A", "good", "("}));
  ASSERT_EQ(tree.phrases.size(), 5U);
  EXPECT_EQ(tree.grade(), 3);
  EXPECT_EQ(tree.words_of(tree.phrases[0]), tree.words);
  EXPECT_EQ(tree.phrases[2].grade, 4);
  EXPECT_EQ(tree.words_of(tree.phrases[2]), (Words{"good", "("}));
}

TEST(SentimentTrees, RefuseWhatIsNone) {
  const auto parse = [](const char* line) { return [=] { parse_tree(line, "trees.txt:7"); }; };
  expect_error(parse("(3 (2 A) (4 film)"), {"trees.txt:7", "no closing bracket"});
  expect_error(parse("(5 (2 A) (4 film))"), {"trees.txt:7", "no grade from 0 to 4"});
  expect_error(parse("(3 (2 A) (4 film)) x"), {"trees.txt:7", "text behind the tree"});
  expect_error(parse("(3 )"), {"trees.txt:7", "no word"});
  expect_error(parse("A film"), {"trees.txt:7", "no opening bracket"});
}

/// A treebank of three files with two sentences each.
void put_treebank(const std::filesystem::path& folder) {
  put(folder / "train.txt",
      "(4 (2 A) (4 (3 good) (2 Film)))\n(1 (2 a) (1 (1 dull) (2 film)))\n(2 (2 a) (2 film))\n");
  put(folder / "dev.txt", "(3 (3 good) (2 plot))\n(0 (0 awful) (2 plot))\n");
  put(folder / "test.txt", "(1 (1 dull) (2 plot))\n(2 (2 a) (2 plot))\n");
}

TEST(Vocabulary, StacksMatricesOfSeveralWidths) {
  const at::Tensor narrow = at::full({2, 1}, 5, at::kLong), wide = at::full({1, 3}, 6, at::kLong);
  const at::Tensor all = stacked({narrow, at::zeros({0, 1}, at::kLong), wide});
  EXPECT_TRUE(all.equal(at::tensor({5, 0, 0, 5, 0, 0, 6, 6, 6}, at::kLong).view({3, 3}))) << all;
}

TEST(SentimentTreebank, LeavesNeutralSentencesOutOfTwoClasses) {
  const whence::test::TemporaryFolder folder;
  put_treebank(folder.path());
  const TextSplits splits = load_sst(folder.path(), SstClasses::binary);
  EXPECT_EQ(splits.train.size(), 2);
  EXPECT_EQ(splits.test.size(), 1);
  EXPECT_EQ(splits.train.texts[0].words, (Words{"a", "good", "film"}));
  EXPECT_EQ(splits.train.texts[0].label, 1);
  // "a", "film" and "a film" stand several times, but are one phrase each.
  EXPECT_EQ(splits.phrases.size(), 9);
  EXPECT_TRUE(splits.phrases.targets.sum(1).allclose(at::ones({9})));
  EXPECT_EQ(load_sst(folder.path(), SstClasses::graded).test.texts[1].label, 2);
}

TEST(SentimentTreebank, NamesFileAndLineOfAnError) {
  const whence::test::TemporaryFolder folder;
  put_treebank(folder.path());
  put(folder / "dev.txt", "(3 (3 good) (2 plot))\n\n(3 good\n");
  expect_error([&] { load_sst(folder.path(), SstClasses::binary); }, {"dev.txt:3", "no closing bracket"});
  put(folder / "dev.txt", "(3 (3 caf\xE9) (2 plot))\n");
  expect_error([&] { load_sst(folder.path(), SstClasses::binary); }, {"dev.txt:1", "not UTF-8"});
  expect_error([&] { load_sst(folder / "elsewhere", SstClasses::binary); },
               {"elsewhere", "not found", "data.path"});
}

TEST(SentimentTreebank, HasThePublishedSizes) {
  const std::filesystem::path folder = std::filesystem::path(WHENCE_SHARED_DATA) / "sst";
  if (!find_sst(folder)) GTEST_SKIP() << "no Stanford Sentiment Treebank in " << folder;
  const TextSplits splits = load_sst(folder, SstClasses::binary);
  EXPECT_EQ(splits.train.size(), 6920);
  EXPECT_EQ(splits.validation.size(), 872);
  EXPECT_EQ(splits.test.size(), 1821);
  EXPECT_EQ(load_sst(folder, SstClasses::graded).test.labels().bincount()[0].item<std::int64_t>(), 279);
}

TEST(TextFiles, AreReadInEveryForm) {
  const whence::test::TemporaryFolder folder;
  put(folder / "a.csv", "id,text,label\n1,\"Good, \"\"really\"\"\nso\",yes\n\n2,dull,no\r\n");
  put(folder / "a.tsv", "label\ttext\nyes\tgood, really\n");
  put(folder / "a.jsonl", "{\"text\": \"good\", \"label\": 1}\n{\"text\": \"dull\", \"label\": \"no\"}\n");
  const auto csv = read_text_file(folder / "a.csv", {});
  ASSERT_EQ(csv.size(), 2U);
  EXPECT_EQ(csv[0].text, "Good, \"really\"\nso");
  EXPECT_EQ(csv[1].label, "no");
  EXPECT_TRUE(csv[1].place.ends_with("a.csv:5"));
  EXPECT_EQ(read_text_file(folder / "a.tsv", {})[0].text, "good, really");
  EXPECT_EQ(read_text_file(folder / "a.jsonl", {})[0].label, "1");
  std::filesystem::create_directories(folder / "classes/good");
  put(folder / "classes/good/1.txt", "a film");
  EXPECT_EQ(read_text_folders(folder / "classes")[0].label, "good");
}

TEST(TextFiles, NameFileAndLineOfAnError) {
  const whence::test::TemporaryFolder folder;
  const auto read = [&](const std::string& name, const std::string& content) {
    return [=, &folder] {
      put(folder / name, content);
      read_text_file(folder / name, {});
    };
  };
  expect_error(read("a.csv", "txt,label\ngood,yes\n"),
               {"a.csv:1", "no column 'text'", "did you mean 'txt'?"});
  expect_error(read("a.csv", "text,label\ngood,yes\na,b,c\n"), {"a.csv:3", "3 cells"});
  expect_error(read("a.csv", "text,label\n\"good,yes\n"), {"a.csv:2", "not closed"});
  expect_error(read("a.csv", "text,label\ngood,yes\n  ,no\n"), {"a.csv:3", "empty"});
  expect_error(read("a.csv", "text,label\n"), {"a.csv", "no text"});
  expect_error(read("a.csv", "text,label\ncaf\xE9,yes\n"), {"a.csv:2", "not UTF-8"});
  expect_error(read("a.jsonl", "{\"text\": \"a\", \"label\": 1}\n{\n"), {"a.jsonl:2", "not JSON"});
  expect_error(read("a.jsonl", "{\"test\": \"a\", \"label\": 1}\n"),
               {"a.jsonl:1", "\"text\"", "did you mean 'test'?"});
  expect_error(read("a.doc", "x"), {"'.doc'", ".csv"});
}

/// Texts of two classes, each twice.
std::string table(int texts) {
  std::string rows = "text,label\n";
  for (int i = 0; i < texts; ++i)
    for (int copy = 0; copy < 2; ++copy)
      rows += fmt::format("word{} film,{}\n", i, i % 2 == 0 ? "good" : "bad");
  return rows;
}

TEST(TextSplits, KeepEqualTextsTogether) {
  const whence::test::TemporaryFolder folder;
  put(folder / "a.csv", table(40));
  const TextSplits splits = load_texts(folder / "a.csv", {});
  EXPECT_EQ(splits.train.class_names, (std::vector<std::string>{"bad", "good"}));
  EXPECT_EQ(splits.test.size(), 12);
  EXPECT_EQ(splits.train.size() + splits.validation.size(), 68);
  const TextSummary summary = summary_of(splits, 1);
  EXPECT_EQ(summary.splits[1].in_train, 0);
  EXPECT_EQ(summary.splits[2].in_train, 0);
  EXPECT_EQ(summary.splits[0].in_train, splits.train.size() / 2);
  EXPECT_DOUBLE_EQ(summary.splits[2].known, 0.5);  // "film" is known, the others are not
}

TEST(TextSplits, RefuseWhatNoClassifierLearns) {
  const whence::test::TemporaryFolder folder;
  put(folder / "one.csv", "text,label\na film,good\na plot,good\n");
  expect_error([&] { load_texts(folder / "one.csv", {}); }, {"'good'", "two classes"});
  std::filesystem::create_directories(folder / "split");
  put(folder / "split/train.csv", table(10));
  put(folder / "split/test.csv", "text,label\na film,god\n");
  expect_error([&] { load_texts(folder / "split", {}); },
               {"test.csv:2", "'god' is no class", "did you mean 'good'?"});
  expect_error([&] { load_texts(folder / "none", {}); }, {"none", "does not exist"});
}

TEST(Vocabularies, NumberWordsByFrequency) {
  const Vocabulary words({{"b", "a", "b"}, {"c", "a", "b", "d"}}, 2);
  EXPECT_EQ(words.size(), 4);
  EXPECT_EQ(words.numbers_of({"b", "a", "c"}), (std::vector<std::int64_t>{2, 3, Vocabulary::kUnknown}));
  EXPECT_TRUE(words.knows_all({"a", "b"}));
  EXPECT_FALSE(words.knows_all({"a", "c"}));
  const at::Tensor numbers = to_numbers(words, {{"b"}, {"a", "b", "c"}, {}}, 2);
  EXPECT_TRUE(numbers.equal(at::tensor({2, 0, 3, 2, 1, 0}, at::kLong).view({3, 2})));
  EXPECT_TRUE(lengths_of(numbers).equal(at::tensor({1, 2, 1}, at::kLong)));
  EXPECT_EQ(words.words_of({3, 2, 0, 2}), (Words{"a", "b"}));
  const Vocabulary other(Words{"x", "b"});
  EXPECT_TRUE(words.translation_from(other).equal(at::tensor({0, 1, 1, 2}, at::kLong)));
  expect_error([] { Vocabulary({{"a"}}, 2); }, {"no word stands 2 times"});
}

TEST(Vocabularies, AreReadBack) {
  const whence::test::TemporaryFolder folder;
  Vocabulary(Words{"film", "café"}).save(folder / "words.txt");
  EXPECT_EQ(Vocabulary::load(folder / "words.txt").number_of("café"), 3);
  put(folder / "words.txt", "a\nb\na\n");
  expect_error([&] { Vocabulary::load(folder / "words.txt"); }, {"words.txt:3", "line 1"});
}

TEST(WordVectorFiles, CoverAPart) {
  const whence::test::TemporaryFolder folder;
  put(folder / "v.txt", "film 1 -2\ngood 0.5 3e-1\n");
  const WordVectors vectors = read_word_vectors(folder / "v.txt");
  EXPECT_EQ(vectors.dimensions(), 2);
  const Vocabulary vocabulary(Words{"good", "dull"});
  EXPECT_DOUBLE_EQ(coverage(vocabulary, vectors), 0.5);
  Generator generator = make_generator(1, "test");
  const at::Tensor table = initial_embedding(vocabulary, {vectors}, 3, 0.1, generator);
  EXPECT_EQ(table.sizes(), (at::IntArrayRef{4, 3}));
  const at::Tensor expected = vectors.values[1] * (0.1 / vectors.values.std());
  EXPECT_TRUE(table[2].narrow(0, 0, 2).allclose(expected));
  put(folder / "v.txt", "film 1 2\ngood 3\n");
  expect_error([&] { read_word_vectors(folder / "v.txt"); }, {"v.txt:2", "1 numbers"});
  put(folder / "v.txt", "film 1 x\n");
  expect_error([&] { read_word_vectors(folder / "v.txt"); }, {"v.txt:1", "'x' is not a number"});
}

TEST(BatchesOfTexts, HaveOneLengthAndEveryTextOnce) {
  const at::Tensor numbers = at::tensor({2, 0, 3, 4, 5, 0, 6, 7, 8, 0}, at::kLong).view({5, 2});
  TextBatches batches(numbers, 2, 7);
  EXPECT_EQ(batches.per_epoch(), 3);
  std::vector<std::int64_t> seen;
  for (std::int64_t i = 0; i < 3; ++i) {
    const TextBatch batch = batches.at(i);
    EXPECT_TRUE(batch.numbers.ne(Vocabulary::kEnd).all().item<bool>());
    EXPECT_TRUE(batch.numbers.equal(numbers.index_select(0, batch.rows).narrow(1, 0, batch.numbers.size(1))));
    for (std::int64_t row = 0; row < batch.rows.size(0); ++row)
      seen.push_back(batch.rows[row].item<std::int64_t>());
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  const at::Tensor later = batches.at(4).rows;
  EXPECT_TRUE(TextBatches(numbers, 2, 7).at(4).rows.equal(later));  // from the middle
}

}  // namespace
}  // namespace whence::data
