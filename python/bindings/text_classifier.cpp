// Classifiers of texts: functions, files, and those of run folders.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "bindings/texts.h"
#include "kinds/text/text.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/text/tokenizer_file.h"
#include "whence/data/text/word_pieces.h"
#include "whence/explain/text/words.h"
#include "whence/models/text/foreign_classifier.h"

namespace whence::python {
namespace {

models::ClassifierOutput output_named(const std::string& name) {
  if (name == "logits") return models::ClassifierOutput::logits;
  if (name == "probabilities") return models::ClassifierOutput::probabilities;
  return models::ClassifierOutput::automatic;
}

/// Called from any thread; the interpreter is taken for the call.
std::vector<at::Tensor> ask(const py::object& function, const at::Tensor& vectors,
                            const at::Tensor& numbers) {
  const py::gil_scoped_acquire held;
  const py::object answer = function(vectors, numbers);
  try {
    return {answer.cast<at::Tensor>()};
  } catch (const py::cast_error&) {
    fail("the model returns {}, but must return a tensor with a row of class scores for each text",
         std::string(py::str(py::type::handle_of(answer).attr("__name__"))));
  }
}

/// Copies of it may be made and freed where the interpreter is not held.
std::shared_ptr<py::object> shared_object(const py::object& object) {
  return {new py::object(object), [](py::object* own) {
            const py::gil_scoped_acquire held;
            delete own;
          }};
}

/// What the caller's function answers, in C++. Error (usage): an answer of another kind.
template <class Answer, class Given>
std::function<Answer(Given)> called(const py::object& function, const char* what) {
  return [own = shared_object(function), what](Given given) {
    const py::gil_scoped_acquire held;
    try {
      return (*own)(given).template cast<Answer>();
    } catch (const py::cast_error&) {
      fail_usage("{}", what);
    }
  };
}

/// How the texts of a classifier are cut: `words`: as the program cuts them; `wordpiece`: by a file (data::read_tokenizer), or by the vocabulary
/// as word pieces; `own`: by the caller's functions.
struct Cutting {
  std::string kind = "words", file;
  py::object cut, join;
  std::vector<std::string> before, after;

  data::Tokenizer tokenizer(const std::function<data::Words()>& vocabulary,
                            const std::string& unknown) const {
    if (kind == "words") return data::word_tokenizer();
    if (kind == "wordpiece")
      return file.empty() ? data::word_piece_tokenizer(data::WordPieces(vocabulary(), unknown))
                          : data::read_tokenizer(file).tokenizer;
    return {called<data::Words, std::string_view>(cut, "the tokenizer must cut a text into a list of str"),
            called<std::string, const data::Words&>(join, "the tokenizer must join a list of str to a str")};
  }
};

TextReader of_function(const py::object& function, const at::Tensor& table,
                       const std::vector<std::string>& words, const std::string& unknown,
                       const std::string& output, const Cutting& cutting) {
  const models::ModelWords known{words, unknown, "vocabulary", cutting.before, cutting.after};
  const std::shared_ptr<py::object> shared = shared_object(function);
  data::Tokenizer tokenizer = cutting.tokenizer([&] { return words; }, unknown);
  const py::gil_scoped_release released;
  return {models::text_classifier_of(
              "the model",
              [shared](const at::Tensor& vectors, const at::Tensor& numbers) {
                return ask(*shared, vectors, numbers);
              },
              table.detach().to(at::kFloat), known, output_named(output)),
          models::vocabulary_of(known), std::move(tokenizer)};
}

TextReader of_file(const std::string& file, const std::string& vocabulary, const std::string& unknown,
                   const std::string& input, const std::string& output, const Cutting& cutting) {
  const models::TextClassifierFile given{
      file,
      input == "vectors" ? models::TextInput::vectors : models::TextInput::numbers,
      vocabulary,
      unknown,
      output_named(output),
      cutting.before,
      cutting.after};
  data::Tokenizer tokenizer = cutting.tokenizer([&] { return data::read_model_words(vocabulary); }, unknown);
  const py::gil_scoped_release released;
  return {models::load_text_classifier(given, 0), models::vocabulary_of(given), std::move(tokenizer)};
}

/// `options`: architecture, embedding and hidden of [text_classifier].
TextReader of_run(const Texts& options, const std::string& vocabulary, const std::string& weights,
                  std::int64_t classes, const Cutting& cutting) {
  config::Values values;
  read_options(kinds::text_sections()[1].keys, options, values);
  data::Vocabulary words = data::Vocabulary::load(vocabulary);
  models::TextClassifierShape shape = values.get<kinds::TextClassifierOptions>().shape;
  shape.words = words.size();
  shape.classes = classes;
  Generator generator = make_generator(0, "text-classifier/initial");
  models::TextClassifierNetwork network(shape, at::zeros({shape.words, shape.embedding}), generator);
  nn::load_parameters(weights, network.parameters());
  data::Tokenizer tokenizer = cutting.tokenizer([&] { return words.words(); }, "[UNK]");
  return {models::as_text_classifier(std::move(network)), std::move(words), std::move(tokenizer)};
}

at::Tensor probabilities(const TextReader& reader, const std::vector<std::string>& texts) {
  const py::gil_scoped_release released;
  return models::text_probabilities(*reader.classifier,
                                    to_numbers(reader.words, words_of_texts(texts, reader.tokenizer)));
}

/// (words, values) of one text.
py::tuple attribute_words(const TextReader& reader, const std::string& text, std::int64_t target,
                          const std::string& method, std::uint64_t seed) {
  const std::vector<data::Words> words = words_of_texts({text}, reader.tokenizer);
  at::Tensor values;
  {
    const py::gil_scoped_release released;
    const at::Tensor numbers = to_numbers(reader.words, words), aim = at::full({1}, target, at::kLong);
    Generator generator = make_generator(seed, "text/words");
    if (method == "integrated_gradients")
      values = text::word_integrated_gradients(*reader.classifier, numbers, aim);
    else if (method == "smooth_grad")
      values = text::word_smooth_gradients(*reader.classifier, numbers, aim, generator);
    else
      values = text::word_occlusion(*reader.classifier, numbers, aim);
  }
  return py::make_tuple(words.front(), values[0].detach());
}

}  // namespace

std::vector<data::Words> words_of_texts(const std::vector<std::string>& texts,
                                        const data::Tokenizer& tokenizer) {
  std::vector<data::Words> all;
  for (const std::string& text : texts) {
    all.push_back(tokenizer.cut(text));
    if (all.back().empty()) fail_usage("text {} has no word; leave it out", all.size() - 1);
  }
  return all;
}

void add_text_classifier(py::module_& module) {
  // Python keeps in `source` what it was made of.
  py::class_<TextReader>(module, "TextClassifier", py::dynamic_attr(),
                         "A classifier of texts with its vocabulary: probabilities(texts) -> (N, classes), "
                         "classes, knows(word), cut(text) -> its words.")
      .def("probabilities", &probabilities)
      .def_property_readonly("classes", [](const TextReader& reader) { return reader.classifier->classes(); })
      .def("knows",
           [](const TextReader& reader, const std::string& word) {
             return reader.words.number_of(word) != data::Vocabulary::kUnknown;
           })
      .def("cut",
           [](const TextReader& reader, const std::string& text) { return reader.tokenizer.cut(text); });
  py::class_<Cutting>(module, "Cutting", "How the texts of a classifier are cut into words.")
      .def(py::init([](std::string kind, std::string file, py::object cut, py::object join,
                       std::vector<std::string> before, std::vector<std::string> after) {
             return Cutting{std::move(kind), std::move(file),   std::move(cut),
                            std::move(join), std::move(before), std::move(after)};
           }),
           py::arg("kind") = "words", py::arg("file") = "", py::arg("cut") = py::none(),
           py::arg("join") = py::none(), py::arg("before") = std::vector<std::string>(),
           py::arg("after") = std::vector<std::string>())
      .def_readonly("kind", &Cutting::kind)
      .def_readonly("file", &Cutting::file)
      .def_readwrite("before", &Cutting::before)
      .def_readwrite("after", &Cutting::after);
  // (words by number, unknown, before, after)
  module.def("tokenizer_file", [](const std::string& file) {
    const data::ModelTokenizer model = data::read_tokenizer(file);
    return py::make_tuple(model.words, model.unknown, model.before, model.after);
  });
  module.def("text_classifier_of_function", &of_function);
  module.def("text_classifier_from_file", &of_file);
  module.def("text_classifier_of_run", &of_run);
  module.def("attribute_words", &attribute_words);
}

}  // namespace whence::python
