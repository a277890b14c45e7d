// A user's own classifier of texts: files that were made here, one that Python made, and ONNX files (tests/fixtures/make_onnx.py).
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/errors.h"
#include "support/files.h"
#include "support/mutation.h"
#include "support/python.h"
#include "support/script_module.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/text/foreign_classifier.h"

namespace whence::models {
namespace {

using whence::test::expect_error;
using whence::test::put;
using whence::test::TemporaryFolder;

constexpr std::int64_t kLines = 6, kWidth = 3;

/// A file that averages the vectors of a text's words; its vocabulary has the unknown word in line 2.
class ForeignTexts : public ::testing::Test {
 protected:
  ForeignTexts() {
    at::manual_seed(1);
    table_ = at::randn({kLines, kWidth});
    output_ = at::randn({kWidth, 2});
    put(folder_ / "words.txt", "<pad>\nfilm\n<unk>\ngood\ndull\na\n");
    save("torch.matmul(torch.mean(torch.embedding(self.table, x), 1), self.output)");
  }
  void save(const std::string& expression) {
    whence::test::save_expression(folder_ / "model.pt", expression, {{"table", table_}, {"output", output_}});
  }
  std::unique_ptr<TextClassifier> load(std::int64_t classes = 2) const {
    return load_text_classifier(given_, classes);
  }
  at::Tensor expected(std::vector<std::int64_t> lines) const {
    return at::matmul(table_.index_select(0, at::tensor(lines, at::kLong)).mean(0), output_);
  }
  /// "good film", "a dull <unk> film" and "a", of unequal lengths.
  at::Tensor texts() const {
    return to_numbers(vocabulary_of(given_), {{"good", "film"}, {"a", "dull", "plot", "film"}, {"a"}});
  }

  TemporaryFolder folder_;
  at::Tensor table_, output_;
  TextClassifierFile given_{.file = folder_ / "model.pt",
                            .input = TextInput::numbers,
                            .vocabulary = folder_ / "words.txt",
                            .unknown = "<unk>",
                            .output = ClassifierOutput::logits};
};

TEST_F(ForeignTexts, NumbersAreTheLinesOfTheVocabulary) {
  const at::Tensor logits = load()->logits(texts());
  EXPECT_TRUE(logits[0].allclose(expected({3, 1}), 1e-4, 1e-5));
  EXPECT_TRUE(logits[1].allclose(expected({5, 4, 2, 1}), 1e-4, 1e-5)) << "plot is unknown";
  EXPECT_TRUE(logits[2].allclose(expected({5}), 1e-4, 1e-5)) << "not filled up";
}

TEST_F(ForeignTexts, WordsMayStandAroundEachText) {
  given_.before = {"<pad>", "good"};
  given_.after = {"a"};
  const at::Tensor logits = load()->logits(texts());
  EXPECT_TRUE(logits[0].allclose(expected({0, 3, 3, 1, 5}), 1e-4, 1e-5));
  EXPECT_TRUE(logits[2].allclose(expected({0, 3, 5, 5}), 1e-4, 1e-5));
  given_.after = {"end"};
  expect_error([&] { load(); }, {"words.txt", "has no 'end', which is to stand around each text"});
}

TEST_F(ForeignTexts, GradientsReachTheVectors) {
  const auto classifier = load();
  const at::Tensor numbers = texts().narrow(0, 0, 1).narrow(1, 0, 2);
  const at::Tensor vectors = at::embedding(classifier->embedding(), numbers).requires_grad_(true);
  const at::Tensor sum = classifier->logits_of(vectors, numbers)[0][1];
  const at::Tensor gradient = torch::autograd::grad({sum}, {vectors}).front();
  EXPECT_TRUE(gradient[0][0].allclose(output_.select(1, 1) / 2, 1e-4, 1e-6));
}

TEST_F(ForeignTexts, AFunctionAnswersAsTheFileDoes) {
  const ModelWords words{{"<pad>", "film", "<unk>", "good", "dull", "a"}, "<unk>", "vocabulary"};
  std::vector<at::Tensor> asked;
  const auto mean = [&](const at::Tensor& vectors, const at::Tensor& numbers) {
    asked.push_back(numbers);
    return std::vector<at::Tensor>{at::matmul(vectors.mean(1), output_)};
  };
  const auto classifier = text_classifier_of("the model", mean, table_, words, ClassifierOutput::logits);
  EXPECT_EQ(classifier->classes(), 2) << "learned from its answer";
  EXPECT_EQ(vocabulary_of(words).size(), vocabulary_of(given_).size());
  asked.clear();
  EXPECT_TRUE(classifier->logits(texts()).equal(load()->logits(texts())));
  ASSERT_EQ(asked.size(), 3) << "texts of one length together";
  EXPECT_TRUE(asked[1].equal(at::tensor({3, 1}, at::kLong).unsqueeze(0))) << "in its own numbers";
  const auto of = [&](ModelWords known, const at::Tensor& table) {
    return text_classifier_of("the model", mean, table, known, ClassifierOutput::logits);
  };
  expect_error([&] { of({words.words, "<other>", "vocabulary"}, table_); }, {"vocabulary has no '<other>'"});
  expect_error([&] { of({{"<unk>", "a", "a"}, "<unk>", "vocabulary"}, table_.narrow(0, 0, 3)); }, {"twice"});
  expect_error([&] { of(words, table_.narrow(0, 0, 4)); }, {"vectors for 4 words"});
}

TEST_F(ForeignTexts, ReadNumbersElsewhereToo) {
  save("torch.matmul(torch.sum(torch.embedding(self.table, x) * (x != 1).unsqueeze(2), 1), self.output)");
  EXPECT_TRUE(load()->logits(texts())[0].allclose(at::matmul(table_[3], output_), 1e-4, 1e-5))
      << "film, line 1, is masked";
}

TEST_F(ForeignTexts, ProbabilitiesAndSingleColumns) {
  given_.output = ClassifierOutput::automatic;
  save("torch.softmax(torch.matmul(torch.mean(torch.embedding(self.table, x), 1), self.output), 1)");
  const at::Tensor p = at::softmax(expected({3, 1}), 0);
  EXPECT_TRUE(at::softmax(load()->logits(texts()), 1)[0].allclose(p, 1e-4, 1e-5));
  save("torch.sigmoid(torch.sum(torch.mean(torch.embedding(self.table, x), 1), 1))");
  const at::Tensor single = at::sigmoid(table_.index_select(0, at::tensor({3, 1}, at::kLong)).mean(0).sum());
  EXPECT_NEAR(at::softmax(load()->logits(texts()), 1)[0][1].item<float>(), single.item<float>(), 1e-5);
}

TEST_F(ForeignTexts, MayTakeVectors) {
  put(folder_ / "vectors.txt", "film 1 0 0\ngood 0 1 0\na 0 0 1\n");
  save("torch.matmul(torch.mean(x, 1), self.output)");
  given_.input = TextInput::vectors;
  given_.vocabulary = folder_ / "vectors.txt";
  const at::Tensor numbers = to_numbers(vocabulary_of(given_), {{"good", "film"}, {"a"}, {"plot"}});
  const at::Tensor logits = load()->logits(numbers);
  EXPECT_TRUE(logits[0].allclose((output_[0] + output_[1]) / 2, 1e-4, 1e-5));
  EXPECT_TRUE(logits[1].allclose(output_[2], 1e-4, 1e-5));
  EXPECT_EQ(logits[2].abs().sum().item<float>(), 0) << "unknown words have no vector here";
  given_.before = {"a", "a"};
  given_.after = {"film"};
  EXPECT_TRUE(
      load()->logits(numbers)[0].allclose((2 * output_[0] + output_[1] + 2 * output_[2]) / 5, 1e-4, 1e-5));
  given_.after = {"plot"};
  expect_error([&] { load(); }, {"vectors.txt has no 'plot', which is to stand around each text"});
}

TEST_F(ForeignTexts, RefuseWhatDoesNotFit) {
  expect_error([&] { load(3); }, {"model.pt tells 2 classes apart, but the texts have 3"});
  put(folder_ / "words.txt", "film\n<unk>\ngood\n");
  expect_error([&] { load(); }, {"has vectors for 6 words", "words.txt has 3 lines"});
  put(folder_ / "words.txt", "film\ngood\n");
  expect_error([&] { vocabulary_of(given_); }, {"has no line '<unk>'", "text_classifier.unknown"});
  put(folder_ / "words.txt", "film\n<unk>\n\xff\n");
  expect_error([&] { vocabulary_of(given_); }, {"words.txt:3", "UTF-8"});
  put(folder_ / "words.txt", "a\nb\nc\nd\n<unk>\ne\n");
  save("torch.matmul(torch.mean(x.float().unsqueeze(2).expand(-1, -1, 3), 1), self.output)");
  expect_error([&] { load(); }, {"cannot be cut behind its word vectors", "no embedding looks up its words"});
}

constexpr const char* kPythonModel = R"(
import sys, torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(6, 4, padding_idx=0)
        self.gru = torch.nn.GRU(4, 5, batch_first=True, bidirectional=True)
        self.out = torch.nn.Linear(10, 2)
    def forward(self, x):
        states, _ = self.gru(self.words(x))
        return self.out(states.amax(1))
torch.manual_seed(0)
model = Model().eval()
torch.jit.script(model).save(sys.argv[1])
with torch.no_grad():
    for ids in ([3, 1], [5, 4, 2, 1], [5]):
        print(*model(torch.tensor([ids]))[0].tolist())
)";

TEST_F(ForeignTexts, AnswerAsInPython) {
  WHENCE_REQUIRE_PYTHON(python, "torch");
  put(folder_ / "model.py", kPythonModel);  // TorchScript reads the source again
  const auto made =
      whence::test::run_program({python, (folder_ / "model.py").string(), (folder_ / "python.pt").string()});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  given_.file = folder_ / "python.pt";
  const at::Tensor logits = load()->logits(texts());
  std::istringstream numbers(made.output);
  for (std::int64_t row = 0; row < 3; ++row)
    for (std::int64_t column = 0; column < 2; ++column) {
      float expected = 0;
      ASSERT_TRUE(numbers >> expected) << made.output;
      EXPECT_NEAR(logits[row][column].item<float>(), expected, 1e-4);
    }
}

TEST_F(ForeignTexts, FilesOfOtherFormatsAnswerAsPytorchDoes) {
  const std::filesystem::path files = std::filesystem::path(WHENCE_FIXTURES) / "texts";
  for (const std::string name : {"cnn_dynamo.onnx", "gru_dynamo.onnx", "gru_script.onnx", "lstm_dynamo.onnx",
                                 "lstm_script.onnx", "cnn_dynamo.pt2"}) {
    given_.file = files / name;
    at::Tensor answers, gradient;
    for (const auto& [key, value] :
         nn::load_safetensors((files / name).replace_extension(".safetensors")).tensors)
      (key == "y" ? answers : gradient) = value;
    const auto classifier = load();
    EXPECT_TRUE(classifier->logits(texts()).allclose(answers, 1e-4, 1e-5)) << name;
    const at::Tensor numbers = texts().narrow(0, 0, 1).narrow(1, 0, 2);
    const at::Tensor vectors = at::embedding(classifier->embedding(), numbers).requires_grad_(true);
    const at::Tensor found =
        torch::autograd::grad({classifier->logits_of(vectors, numbers)[0][1]}, {vectors}).front();
    EXPECT_TRUE(found.allclose(gradient, 1e-4, 1e-6)) << name;
  }
}

TEST_F(ForeignTexts, OnnxFilesMayTakeVectors) {
  const std::filesystem::path files = std::filesystem::path(WHENCE_FIXTURES) / "texts";
  std::map<std::string, at::Tensor> known;
  for (const auto& [key, value] : nn::load_safetensors(files / "gru_vectors.safetensors").tensors)
    known[key] = value;
  std::string lines;
  const std::vector<std::string> words = {"<pad>", "film", "<unk>", "good", "dull", "a"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    lines += words[i];
    for (std::int64_t j = 0; j < known["table"].size(1); ++j)
      lines += fmt::format(" {:.9g}", known["table"][static_cast<std::int64_t>(i)][j].item<float>());
    lines += "\n";
  }
  put(folder_ / "vectors.txt", lines);
  given_.file = files / "gru_vectors.onnx";
  given_.input = TextInput::vectors;
  given_.vocabulary = folder_ / "vectors.txt";
  const auto classifier = load();
  EXPECT_TRUE(classifier->logits(texts()).allclose(known["y"], 1e-4, 1e-5));
  const at::Tensor numbers = texts().narrow(0, 0, 1).narrow(1, 0, 2);
  const at::Tensor vectors = at::embedding(classifier->embedding(), numbers).requires_grad_(true);
  const at::Tensor found =
      torch::autograd::grad({classifier->logits_of(vectors, numbers)[0][1]}, {vectors}).front();
  EXPECT_TRUE(found.allclose(known["gradient"], 1e-4, 1e-6));
  put(folder_ / "vectors.txt", "film 1 0\n<unk> 0 1\n");
  expect_error([&] { load(); }, {"gru_vectors.onnx"});
}

TEST_F(ForeignTexts, OnnxFilesThatDoNotFitAreRefused) {
  const std::filesystem::path files = WHENCE_FIXTURES;
  given_.file = files / "onnx/mlp.onnx";
  expect_error([&] { load(); }, {"mlp.onnx takes neither numbers of words", "(texts, words)"});
  given_.file = files / "texts/gru_dynamo.onnx";
  expect_error([&] { load(3); }, {"gru_dynamo.onnx tells 2 classes apart"});
  given_.input = TextInput::vectors;
  const std::filesystem::path numbers = std::exchange(given_.vocabulary, folder_ / "vectors.txt");
  put(given_.vocabulary, "film 1 0 0 0\ngood 0 1 0 0\n");
  expect_error([&] { load(); }, {"gru_dynamo.onnx takes numbers of words", "text_classifier.input"});
  given_.file = files / "texts/gru_vectors.onnx";
  given_.input = TextInput::numbers;
  given_.vocabulary = numbers;
  expect_error([&] { load(); }, {"gru_vectors.onnx takes word vectors", "text_classifier.input to vectors"});
}

TEST_F(ForeignTexts, DamagedOnnxFilesAreReadOrRefused) {
  const std::filesystem::path files = std::filesystem::path(WHENCE_FIXTURES) / "texts";
  std::vector<std::string> models;
  for (const char* name : {"cnn_dynamo.onnx", "gru_dynamo.onnx", "gru_script.onnx", "lstm_dynamo.onnx",
                           "lstm_script.onnx", "gru_vectors.onnx"})
    models.push_back(read_file(files / name));
  const char* count = std::getenv("WHENCE_MUTATIONS");  // more by hand
  std::mt19937_64 random(1);
  given_.file = folder_ / "damaged.onnx";
  int refused = 0;
  const int tries = count != nullptr ? static_cast<int>(std::strtol(count, nullptr, 10)) : 300;
  for (int i = 0; i < tries; ++i) {
    put(given_.file,
        whence::test::mutated(models[random() % models.size()], models[random() % models.size()], random));
    try {
      load()->logits(texts());
    } catch (const Error& error) {
      ++refused;
      EXPECT_FALSE(whence::test::contains(error.what(), "\n")) << error.what();
    }
  }
  EXPECT_GT(refused, tries / 4);
}

}  // namespace
}  // namespace whence::models
