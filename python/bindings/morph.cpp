// Semantic morphs: what images would be as another class.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "bindings/attribution.h"
#include "kinds/morphing/study.h"

namespace whence::python {
namespace {

/// The way from each image's code to its morph, as images (n, steps, C, H, W).
at::Tensor path_of(const models::Decoder& decoder, const counterfactual::Morphs& morphs, std::int64_t steps) {
  const at::Tensor codes =
      counterfactual::code_path(morphs.codes, morphs.moved, at::linspace(0, 1, steps, morphs.codes.options()),
                                counterfactual::PathKind::radial);
  std::vector<at::Tensor> images;
  for (const at::Tensor& step : codes.unbind(0)) images.push_back(decoder.decode(step));
  return at::stack(images, 1);
}

py::list endings_of(const counterfactual::Morphs& morphs) {
  py::list names;
  for (std::int64_t i = 0; i < morphs.endings.size(0); ++i)
    names.append(std::string(counterfactual::name_of(
        static_cast<counterfactual::Ending>(morphs.endings[i].item<std::int64_t>()))));
  return names;
}

py::dict morph(const models::Encoder& encoder, const models::Decoder& decoder,
               const models::Classifier& classifier, const at::Tensor& x, const std::string& target,
               const std::optional<at::Tensor>& images, const std::optional<at::Tensor>& labels,
               const Texts& texts, std::int64_t steps, std::uint64_t seed, const py::object& progress) {
  config::Values values;
  read_options(kinds::morphing_section().keys, texts, values);
  auto options = values.get<kinds::MorphingOptions>();
  options.target = target;
  const ProgressCallback told = progress_of(progress);
  std::vector<std::string> class_names;
  for (std::int64_t i = 0; i < classifier.classes(); ++i) class_names.push_back(std::to_string(i));
  kinds::MorphStudy study;
  at::Tensor path;
  {
    const py::gil_scoped_release released;
    const at::NoGradGuard no_grad;
    const counterfactual::KnownCodes known =
        known_codes_of(encoder, decoder, classifier, images, labels, options.known, seed, told);
    study = kinds::study_morphs(
        {classifier, {encoder, decoder, known}, nullptr, nullptr, 0, class_names, seed}, x, options,
        /*with_controls=*/false, told);
    path = path_of(decoder, study.morphs, steps);
  }
  const counterfactual::Morphs& morphs = study.morphs;
  using namespace pybind11::literals;
  return py::dict("images"_a = study.ways.front().after, "originals"_a = study.images,
                  "reconstructions"_a = study.reconstructions, "path"_a = path, "rows"_a = study.rows,
                  "codes"_a = morphs.codes, "moved"_a = morphs.moved, "from_class"_a = morphs.from,
                  "to_class"_a = morphs.to, "ending"_a = endings_of(morphs), "found"_a = morphs.found(),
                  "iterations"_a = morphs.iterations, "entropy"_a = morphs.entropy,
                  "probability"_a = morphs.probability);
}

}  // namespace

void add_morph(py::module_& module) { module.def("morph", &morph); }

}  // namespace whence::python
