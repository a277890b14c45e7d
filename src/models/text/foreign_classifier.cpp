#include "whence/models/text/foreign_classifier.h"

#include <torch/csrc/autograd/autograd.h>

#include <set>

#include "interchange/onnx_file.h"
#include "models/classifier_rows.h"
#include "models/function_check.h"
#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/data/text/tokenizer_file.h"
#include "whence/interchange/word_module.h"

namespace whence::models {
namespace {

using data::Vocabulary;

/// In the order of their rows.
std::vector<std::string> words_of(const data::WordVectors& vectors) {
  std::vector<std::string> words(vectors.rows.size());
  for (const auto& [word, row] : vectors.rows) words[static_cast<std::size_t>(row)] = word;
  return words;
}

/// TextFunction, but in our numbers.
using Ask = TextFunction;

class ForeignTextClassifier final : public TextClassifier {
 public:
  /// `table`: the vectors of our words.
  ForeignTextClassifier(std::string name, Ask ask, at::Tensor table, ClassifierOutput output)
      : name_(std::move(name)), ask_(std::move(ask)), table_(std::move(table)), output_(output) {}

  const at::Tensor& embedding() const override { return table_; }
  std::int64_t classes() const override { return classes_; }

  at::Tensor logits_of(const at::Tensor& vectors, const at::Tensor& numbers) const override {
    const at::Tensor lengths = data::lengths_of(numbers).clamp_min(1);
    std::vector<at::Tensor> parts, rows;
    for (std::int64_t length = 1; length <= numbers.size(1); ++length) {
      rows.push_back(lengths.eq(length).nonzero().squeeze(1));
      if (rows.back().size(0) == 0) continue;
      parts.push_back(logits_from(answer(vectors.index_select(0, rows.back()).narrow(1, 0, length),
                                         numbers.index_select(0, rows.back()).narrow(1, 0, length))));
    }
    return at::cat(parts).index_select(0, at::cat(rows).argsort());
  }

  /// Tries it on texts of the vocabulary's first words, and learns what its rows mean.
  void learn(std::int64_t classes) {
    constexpr std::int64_t texts = 4, words = 5;
    const at::Tensor numbers =
        Vocabulary::kUnknown + at::arange(texts * words, table_.options().dtype(at::kLong))
                                   .remainder(table_.size(0) - 1)
                                   .view({texts, words});
    const at::Tensor rows = checked(at::embedding(table_, numbers), numbers);
    const bool sums = rows.size(1) > 1 && rows.ge(0).all().item<bool>() &&
                      rows.sum(1).sub(1).abs().max().item<double>() < kSum;
    const bool single = rows.size(1) == 1 && rows.ge(0).logical_and(rows.le(1)).all().item<bool>();
    probabilities_ = output_ == ClassifierOutput::probabilities ||
                     (output_ == ClassifierOutput::automatic && (sums || single));
    if (output_ == ClassifierOutput::probabilities && !sums && !single)
      fail("{} does not return probabilities, though its output is said to be such", name_);
    classes_ = rows.size(1) == 1 ? 2 : rows.size(1);
    if (classes != 0 && classes_ != classes)
      fail("{} tells {} classes apart, but the texts have {}", name_, classes_, classes);
  }

 private:
  static constexpr double kSum = 1e-3;

  /// (N, M) of texts of one length.
  at::Tensor answer(const at::Tensor& vectors, const at::Tensor& numbers) const {
    const std::vector<at::Tensor> outputs = ask_(vectors, numbers);
    if (outputs.size() != 1)
      fail("{} returns {} tensors; export a model that returns its scores only", name_, outputs.size());
    const at::Tensor rows = flat_rows(outputs.front().to(at::kFloat));
    if (rows.dim() != 2 || rows.size(0) != numbers.size(0))
      fail("{} returns a tensor of shape {} for {} texts; it must return one row of class scores per text",
           name_, nn::text_of(rows.sizes()), numbers.size(0));
    return rows;
  }

  at::Tensor logits_from(const at::Tensor& rows) const {
    const at::Tensor bounded = rows.clamp_min(smallest_probability);
    if (rows.size(1) > 1) return probabilities_ ? bounded.log() : rows;
    const at::Tensor z =
        probabilities_ ? bounded.log() - (1 - rows).clamp_min(smallest_probability).log() : rows;
    return at::cat({at::zeros_like(z), z}, 1);
  }

  at::Tensor checked(const at::Tensor& vectors, const at::Tensor& numbers) const {
    constexpr double tolerance = 1e-3;
    const at::Tensor rows = answer(vectors, numbers).detach();
    if (!at::isfinite(rows).all().item<bool>()) fail("{} returns NaN or infinity; check its weights", name_);
    const at::Tensor alone = answer(vectors.narrow(0, 0, 1), numbers.narrow(0, 0, 1)).detach();
    if (!at::allclose(alone, rows.narrow(0, 0, 1), tolerance, tolerance))
      fail("{} gives another answer for a text alone than beside others; export it in evaluation mode",
           name_);
    const at::AutoGradMode gradients(true);
    const at::Tensor moved = vectors.detach().clone().requires_grad_(true);
    const at::Tensor sum = answer(moved, numbers).sum();
    if (!sum.requires_grad())
      fail("{} gives no gradient in its word vectors; export it without torch.no_grad() and .detach()",
           name_);
    return rows;
  }

  std::string name_;  ///< of the file
  Ask ask_;
  at::Tensor table_;
  ClassifierOutput output_;
  bool probabilities_ = false;
  std::int64_t classes_ = 0;
};

ModelWords words_of_file(const TextClassifierFile& classifier) {
  return {data::read_model_words(classifier.vocabulary), classifier.unknown, classifier.vocabulary.string(),
          classifier.before, classifier.after};
}

void check_around(const ModelWords& model) {
  for (const auto* around : {&model.before, &model.after})
    for (const std::string& word : *around)
      if (std::find(model.words.begin(), model.words.end(), word) == model.words.end())
        fail("{} has no '{}', which is to stand around each text", model.name, word);
}

/// The model's own number of each of our words: those of vocabulary_of behind the two special ones.
at::Tensor numbers_in_model(const ModelWords& model) {
  const auto unknown = std::find(model.words.begin(), model.words.end(), model.unknown) - model.words.begin();
  std::vector<std::int64_t> numbers = {unknown,
                                       unknown};  // texts are not filled up: the first is never asked
  for (std::ptrdiff_t i = 0; i < std::ssize(model.words); ++i)
    if (i != unknown) numbers.push_back(i);
  return at::tensor(numbers, at::kLong);
}

/// The function of texts that stand between the words that the model wants around each.
TextFunction between(const TextFunction& function, const at::Tensor& table, const ModelWords& model) {
  if (model.before.empty() && model.after.empty()) return function;
  const auto lines_of = [&](const std::vector<std::string>& words) {
    std::vector<std::int64_t> lines;
    for (const std::string& word : words)
      lines.push_back(std::find(model.words.begin(), model.words.end(), word) - model.words.begin());
    return at::tensor(lines, table.options().dtype(at::kLong));
  };
  const at::Tensor before = lines_of(model.before), after = lines_of(model.after);
  return [=](const at::Tensor& vectors, const at::Tensor& numbers) {
    const auto row = [&](const at::Tensor& lines) {
      return lines.unsqueeze(0).expand({numbers.size(0), lines.size(0)});
    };
    const auto vectors_of = [&](const at::Tensor& lines) {
      return table.index_select(0, lines).unsqueeze(0).expand(
          {numbers.size(0), lines.size(0), table.size(1)});
    };
    return function(at::cat({vectors_of(before), vectors, vectors_of(after)}, 1),
                    at::cat({row(before), numbers, row(after)}, 1));
  };
}

/// Error: its answer is random.
nn::ScriptModule load_fixed(const std::filesystem::path& file) {
  nn::ScriptModule module = load_frozen(file);
  if (const std::string operation = module.random_operation(); !operation.empty())
    fail(
        "the answer of {} is random: {} draws new numbers at every call; call model.eval() before the "
        "export",
        file.string(), operation);
  return module;
}

Ask ask_by_vectors(const std::filesystem::path& file, bool onnx) {
  if (onnx)
    return [module = nn::OnnxVectorModule(file)](const at::Tensor& vectors, const at::Tensor&) {
      return module(vectors);
    };
  return
      [module = load_fixed(file)](const at::Tensor& vectors, const at::Tensor&) { return module(vectors); };
}

/// Its rows belong to the numbers of vocabulary_of.
at::Tensor table_of_vectors(const data::WordVectors& vectors, const std::string& unknown) {
  std::vector<at::Tensor> rows = {at::zeros({1, vectors.dimensions()}, vectors.values.options())};
  const auto found = vectors.rows.find(unknown);
  rows.push_back(found == vectors.rows.end() ? rows.front() : vectors.values.narrow(0, found->second, 1));
  if (found == vectors.rows.end()) {
    rows.push_back(vectors.values);
  } else {
    rows.push_back(vectors.values.narrow(0, 0, found->second));
    rows.push_back(vectors.values.narrow(0, found->second + 1, vectors.values.size(0) - found->second - 1));
  }
  return at::cat(rows);
}

}  // namespace

Vocabulary vocabulary_of(const ModelWords& model) {
  std::vector<std::string> words = model.words;
  const auto unknown = std::find(words.begin(), words.end(), model.unknown);
  if (unknown == words.end())
    fail("{} has no '{}', which stands for unknown words; name the one that does", model.name, model.unknown);
  words.erase(unknown);
  check_around(model);
  const std::set<std::string> different(words.begin(), words.end());
  if (words.empty() || different.size() != words.size())
    fail("{} has {}; it must have every word once", model.name,
         words.empty() ? "no word" : "a word that stands there twice");
  return Vocabulary(words);
}

Vocabulary vocabulary_of(const TextClassifierFile& classifier) {
  if (classifier.input == TextInput::numbers) {
    const ModelWords model = words_of_file(classifier);
    if (std::find(model.words.begin(), model.words.end(), model.unknown) == model.words.end())
      fail("{} has no line '{}', which stands for unknown words; name it with text_classifier.unknown",
           model.name, model.unknown);
    return vocabulary_of(model);
  }
  std::vector<std::string> words = words_of(data::read_word_vectors(classifier.vocabulary));
  std::erase(words, classifier.unknown);
  return Vocabulary(words);
}

std::unique_ptr<TextClassifier> text_classifier_of(const std::string& name, const TextFunction& function,
                                                   const at::Tensor& table, const ModelWords& words,
                                                   ClassifierOutput output, std::int64_t classes) {
  vocabulary_of(words);  // checks them
  const at::Tensor own = numbers_in_model(words);
  if (table.size(0) != own.size(0) - 1)
    fail("{} has vectors for {} words, but {} has {} lines; give the vocabulary that belongs to it", name,
         table.size(0), words.name, own.size(0) - 1);
  const TextFunction whole = between(function, table, words);
  auto role = std::make_unique<ForeignTextClassifier>(
      name,
      [whole, own](const at::Tensor& vectors, const at::Tensor& numbers) {
        return whole(vectors, own.index_select(0, numbers.flatten()).view(numbers.sizes()));
      },
      table.index_select(0, own), output);
  role->learn(classes);
  return role;
}

std::unique_ptr<TextClassifier> load_text_classifier(const TextClassifierFile& classifier,
                                                     std::int64_t classes) {
  const std::string file = classifier.file.string();
  const bool onnx =
      std::filesystem::is_regular_file(classifier.file) && interchange::is_onnx(classifier.file);
  if (classifier.input == TextInput::vectors) {
    const data::WordVectors vectors = data::read_word_vectors(classifier.vocabulary);
    const ModelWords words = {words_of(vectors), classifier.unknown, classifier.vocabulary.string(),
                              classifier.before, classifier.after};
    check_around(words);
    auto role = std::make_unique<ForeignTextClassifier>(
        file, between(ask_by_vectors(classifier.file, onnx), vectors.values, words),
        table_of_vectors(vectors, classifier.unknown), classifier.output);
    role->learn(classes);
    return role;
  }
  if (!onnx) load_fixed(classifier.file);  // ONNX files with random operators are not read anyway
  const nn::WordModule words(classifier.file);
  return text_classifier_of(
      file, [words](const at::Tensor& vectors, const at::Tensor& numbers) { return words(numbers, vectors); },
      words.table(), words_of_file(classifier), classifier.output, classes);
}

}  // namespace whence::models
