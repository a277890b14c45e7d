// Translators between classes: those of runs, their translations, and training on images in memory.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "bindings/bindings.h"
#include "kinds/morphing/ways.h"
#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/train/translation.h"
#include "whence/models/zoo/zoo.h"

namespace whence::python {
namespace {

/// Images and masks. weights: (N, classes).
py::tuple translate_by_weights(const models::Translator& own, const at::Tensor& x,
                               const at::Tensor& weights) {
  models::Translation found;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    found = own.translate(x, weights);
  }
  return py::make_tuple(found.images, found.mask);
}

TranslatorPtr translator_of_weights(const nn::Shape& image, std::int64_t classes, std::int64_t width,
                                    const std::string& weights) {
  nn::Network network = models::translator_network({.image = image, .classes = classes, .width = width});
  nn::load_network(weights, network);
  return std::make_shared<models::Translator>(network, classes);
}

/// The fields of whence.Translations. Errors (usage): images or classes that do not fit; those of kinds::cases_of.
py::dict translate_images(const models::Translator& translator, const models::Classifier& classifier,
                          const at::Tensor& x, const std::string& target, std::int64_t steps) {
  translator.check_fit(x, classifier);
  std::vector<std::string> class_names;
  for (std::int64_t i = 0; i < classifier.classes(); ++i) class_names.push_back(std::to_string(i));
  kinds::Cases cases;
  kinds::Way way;
  at::Tensor originals, path;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    cases = kinds::cases_of(std::get<1>(classifier.logits(x).topk(2, 1)), class_names, target);
    originals = x.index_select(0, cases.rows);
    constexpr double any_entropy = 1;  // the stopping rule of morphs is not asked about
    way = kinds::translation_way(classifier, translator, originals, cases.from, cases.to, any_entropy);
    path = translator.path(originals, cases.from, cases.to, at::linspace(0, 1, steps, at::kDouble))
               .transpose(0, 1)
               .contiguous();
  }
  using namespace pybind11::literals;
  return py::dict("images"_a = way.after, "originals"_a = originals, "masks"_a = way.mask, "path"_a = path,
                  "rows"_a = cases.rows, "from_class"_a = cases.from, "to_class"_a = cases.to,
                  "found"_a = way.found, "entropy"_a = way.entropy, "cycle"_a = way.cycle);
}

void check_translator_training(const models::TranslatorTraining& options, std::int64_t steps) {
  if (steps < 1 || options.batch < 1)
    fail_usage("steps is {} and batch is {}, but both must be 1 or more", steps, options.batch);
  const models::TranslationWeights& weights = options.weights;
  if (!(options.learning_rate > 0) || !(options.average >= 0 && options.average < 1))
    fail_usage("learning_rate is {} and average is {}, but must be above 0, and from 0 to below 1",
               options.learning_rate, options.average);
  for (const double weight : {weights.cycle, weights.identity, weights.classifier, weights.mask})
    if (!(weight >= 0)) fail_usage("a weight is {}, but must be 0 or more", weight);
}

/// images: bytes; labels: int64.
TranslatorPtr train_translator(const at::Tensor& images, const at::Tensor& labels, std::int64_t classes,
                               const ClassifierPtr& classifier, std::int64_t width, std::int64_t steps,
                               std::int64_t batch, double learning_rate, const std::vector<double>& weights,
                               double average, std::uint64_t seed, const py::object& progress) {
  models::TranslatorTraining options;
  options.weights = {weights.at(0), weights.at(1), weights.at(2), weights.at(3)};
  options.steps = steps;
  options.batch = batch;
  options.learning_rate = learning_rate;
  options.average = average;
  options.seed = seed;
  check_translator_training(options, steps);
  const ProgressCallback told = watched(progress);
  const py::gil_scoped_release released;
  std::vector<std::string> class_names;
  for (std::int64_t i = 0; i < classes; ++i) class_names.push_back(std::to_string(i));
  const data::Dataset train{images, labels, class_names};
  const nn::Shape image = images.sizes().slice(1).vec();
  nn::Network translator = models::translator_network({.image = image, .classes = classes, .width = width});
  nn::Network discriminator = models::dcgan_discriminator(
      {.image = image, .width = width, .batch_norm = !options.spectral_norm, .scores = classes});
  models::train_translator(translator, discriminator, classifier.get(), train, options, told);
  return std::make_shared<models::Translator>(translator, classes);
}

}  // namespace

void add_translation(py::module_& module) {
  py::class_<models::Translator, TranslatorPtr>(
      module, "Translator",
      "One network that turns an image of any class into any other, frozen: T(x, w) = (1 - m) x + m c, with "
      "a "
      "mask m in [0, 1] and colours c.")
      .def("translate", &translate_by_weights, py::arg("x"), py::arg("weights"),
           "Images (N, C, H, W) and the weights of the classes that are asked for (N, classes), one-hot for "
           "a class, to (translations, masks); masks are (N, 1, H, W).")
      .def_property_readonly("classes", &models::Translator::classes)
      .def_property_readonly("image_shape", &models::Translator::image_shape);
  module.def("translator_of_weights", &translator_of_weights);
  module.def("translate", &translate_images);
  module.def("train_translator", &train_translator);
}

}  // namespace whence::python
