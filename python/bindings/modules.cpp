// Modules of a generator: groups of channels, and which of them moves a classifier.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <nlohmann/json.hpp>

#include "bindings/bindings.h"
#include "kinds/modules/study.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::python {
namespace {

kinds::ModulesOptions options_of(const Texts& texts) {
  config::Values values = modules_defaults();
  read_options(kinds::modules_section().keys, texts, values);
  auto& options = values.get<kinds::ModulesOptions>();
  if (options.pairs < 2 * options.influence.groups)
    fail_usage("pairs is {}, but must be at least {}", options.pairs, 2 * options.influence.groups);
  if (options.grouping.window % 2 == 0) fail_usage("window is {}, but must be odd", options.grouping.window);
  return options;
}

/// As kinds::images_to_encode has them, so that the same images give the program's numbers.
at::Tensor shuffled(const std::optional<at::Tensor>& images, std::uint64_t seed) {
  if (!images) return {};
  Generator generator = make_generator(seed, "modules/images");
  const at::Tensor order = at::randperm(images->size(0), generator, at::kLong);
  return images->index_select(0, order.to(images->device()));
}

py::dict modules(const models::Decoder& decoder, const models::Classifier* classifier,
                 const models::Encoder* encoder, const std::optional<at::Tensor>& images, const Texts& texts,
                 std::uint64_t seed, const py::object& progress) {
  const kinds::ModulesOptions options = options_of(texts);
  const ProgressCallback told = progress_of(progress);
  kinds::ModuleStudy study;
  std::string record;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    const kinds::StudiedModels models{&decoder, encoder, classifier, shuffled(images, seed)};
    study = kinds::study_modules(models, options, seed, told);
    record = kinds::to_json(study).dump();
  }
  using namespace pybind11::literals;
  return py::dict("record"_a = record, "labels"_a = study.modules.labels, "maps"_a = study.modules.maps,
                  "templates"_a = study.modules.templates, "weights"_a = study.modules.weights);
}

}  // namespace

config::Values modules_defaults() {
  config::Values values;
  values.get<kinds::ModulesOptions>().pairs = 256;
  return values;
}

void add_modules(py::module_& module) { module.def("modules", &modules); }

}  // namespace whence::python
