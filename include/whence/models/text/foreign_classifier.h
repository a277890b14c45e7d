// A user's own classifier of texts: a file that takes numbers of words or word vectors, or a function of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "whence/models/text/classifier.h"

namespace whence::models {

enum class TextInput {
  numbers,  ///< int64 (N, T): the line (from 0) of each word in the vocabulary's file
  vectors,  ///< float32 (N, T, E): rows of a file of word vectors
};

struct TextClassifierFile {
  std::filesystem::path file;  ///< TorchScript, .pt2, or ONNX (numbers only)
  TextInput input = TextInput::numbers;
  /// A word a line, in the order of the model's numbers, or a tokenizer.json (TextInput::numbers); or word vectors in GloVe's text form, which are its vocabulary, too.
  std::filesystem::path vocabulary;
  std::string unknown = "<unk>";  ///< the word that stands for all that are unknown
  ClassifierOutput output = ClassifierOutput::automatic;
  std::vector<std::string> before = {}, after = {};  ///< as those of ModelWords
};

/// The words of the vocabulary but for `unknown`, in their order. Errors: those of data::read_model_words and read_word_vectors; numbers without the word `unknown`.
data::Vocabulary vocabulary_of(const TextClassifierFile& classifier);

/// The file in its role; its numbers are those of vocabulary_of. Texts of one length are asked together and never filled up, so the file needs no mask.
/// Rows that are probabilities (`automatic`: within 1e-3 of 1 in sum and not negative) become their logarithms; a single column is the second class against the first.
/// A file of numbers is cut behind its look-up of word vectors (nn::WordModule), because gradients reach vectors, not numbers.
/// Errors (file named): another count of classes than `classes`; no look-up, or several; a table with another count of rows than the vocabulary has lines; an
/// answer that is not one row a text, is NaN, or changes when it is asked again or beside other texts; no gradient in the vectors.
std::unique_ptr<TextClassifier> load_text_classifier(const TextClassifierFile& classifier,
                                                     std::int64_t classes);

/// A model of texts of one length: from numbers of words, int64 (N, T), and the vectors, float32 (N, T, E), that it takes in place of its own look-up of them, to a
/// tensor of rows of scores. Differentiable in the vectors.
using TextFunction =
    std::function<std::vector<at::Tensor>(const at::Tensor& vectors, const at::Tensor& numbers)>;

/// The words of a model in the order of its numbers.
struct ModelWords {
  std::vector<std::string> words;
  std::string unknown = "<unk>";  ///< the one that stands for all that are unknown
  std::string name;               ///< what errors call them
  /// Words that the model gets in front of each text and behind it: BERT's "[CLS]" and "[SEP]".
  std::vector<std::string> before = {}, after = {};
};
/// Without `unknown`. Errors: a word that stands there twice; no word `unknown`, or one of `before` and `after`; none besides.
data::Vocabulary vocabulary_of(const ModelWords& model);

/// A function in the same role; its numbers are those of vocabulary_of. `table`: the vectors of its words, (V, E). `name` stands for it in errors, which are those of
/// load_text_classifier. `classes`: 0: as many as it tells apart.
std::unique_ptr<TextClassifier> text_classifier_of(const std::string& name, const TextFunction& function,
                                                   const at::Tensor& table, const ModelWords& words,
                                                   ClassifierOutput output, std::int64_t classes = 0);

}  // namespace whence::models
