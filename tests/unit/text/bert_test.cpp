// A BERT of the package transformers, from both of PyTorch's exporters to ONNX (tests/fixtures/make_bert.py).
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <map>

#include "whence/data/text/word_pieces.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/text/foreign_classifier.h"

namespace whence::models {
namespace {

const std::filesystem::path kFiles = std::filesystem::path(WHENCE_FIXTURES) / "texts";

TextClassifierFile bert(const std::string& file) {
  return {.file = kFiles / file,
          .input = TextInput::numbers,
          .vocabulary = kFiles / "bert-vocab.txt",
          .unknown = "[UNK]",
          .output = ClassifierOutput::logits,
          .before = {"[CLS]"},
          .after = {"[SEP]"}};
}

TEST(Bert, AnswersAndGradientsAreThoseOfPython) {
  std::map<std::string, at::Tensor> known;
  for (const auto& [key, value] : nn::load_safetensors(kFiles / "bert.safetensors").tensors)
    known[key] = value;
  const data::WordPieces cut = data::WordPieces::load(kFiles / "bert-vocab.txt");
  for (const char* file : {"bert_dynamo.onnx", "bert_script.onnx"}) {
    const auto classifier = load_text_classifier(bert(file), 3);
    const at::Tensor numbers =
        to_numbers(vocabulary_of(bert(file)),
                   {cut("The films is unplayable."), cut("good"), cut("A boring film is a strange film")});
    EXPECT_TRUE(classifier->logits(numbers).allclose(known["y"], 1e-4, 1e-5)) << file;
    const std::int64_t pieces = known["gradient"].size(1);
    const at::Tensor first = numbers.narrow(0, 0, 1).narrow(1, 0, pieces);
    const at::Tensor vectors = at::embedding(classifier->embedding(), first).requires_grad_(true);
    const at::Tensor found =
        torch::autograd::grad({classifier->logits_of(vectors, first)[0][1]}, {vectors}).front();
    EXPECT_TRUE(found.allclose(known["gradient"], 1e-3, 1e-5)) << file;
  }
}

TEST(Bert, WithoutWhatStandsAroundATextItAnswersSomethingElse) {
  TextClassifierFile bare = bert("bert_dynamo.onnx");
  bare.before = bare.after = {};
  const at::Tensor numbers = to_numbers(vocabulary_of(bare), {{"the", "film", "is", "good"}});
  EXPECT_GT((load_text_classifier(bare, 3)->logits(numbers) -
             load_text_classifier(bert("bert_dynamo.onnx"), 3)->logits(numbers))
                .abs()
                .max()
                .item<float>(),
            0.1);
}

}  // namespace
}  // namespace whence::models
