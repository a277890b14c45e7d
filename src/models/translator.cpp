#include "whence/models/translator.h"

#include "whence/core/error.h"

namespace whence::models {

Translation translate(const nn::Network& network, const at::Tensor& x, const at::Tensor& weights,
                      const nn::Execution& execution) {
  const std::int64_t channels = x.size(1), classes = weights.size(1);
  TORCH_CHECK(x.dim() == 4 && weights.dim() == 2 && x.size(0) == weights.size(0),
              "a translation needs one row of class weights for each image, not ", weights.sizes(), " for ",
              x.sizes());
  TORCH_CHECK(network.input_shape()[0] == channels + classes && network.output_shape()[0] == channels + 1,
              "the translator takes ", network.input_shape()[0], " planes, not ", channels,
              " of an image and ", classes, " of classes");
  const at::Tensor planes = weights.view({x.size(0), classes, 1, 1}).expand({-1, -1, x.size(2), x.size(3)});
  const at::Tensor made = network.forward(at::cat({x, planes}, 1), execution);
  const at::Tensor colours = made.narrow(1, 0, channels), mask = made.narrow(1, channels, 1);
  return {x + mask * (colours - x), mask, colours};
}

at::Tensor class_weights(const at::Tensor& labels, std::int64_t classes) {
  const at::Tensor names = at::arange(classes, labels.options());
  return labels.unsqueeze(1).eq(names.unsqueeze(0)).to(at::kFloat);
}

Translator::Translator(const nn::Network& network, std::int64_t classes, Precision precision)
    : network_(network.frozen(precision)), classes_(classes), precision_(precision) {
  TORCH_CHECK(network.input_shape()[0] == network.output_shape()[0] - 1 + classes, "a translator of ",
              classes, " classes has not ", network.input_shape()[0], " input channels");
}

nn::Shape Translator::image_shape() const {
  nn::Shape shape = network_.output_shape();
  --shape[0];
  return shape;
}

Translation Translator::translate(const at::Tensor& x, const at::Tensor& weights) const {
  return models::translate(network_, x, weights, {precision_});
}

Translation Translator::translate_to(const at::Tensor& x, const at::Tensor& labels) const {
  return translate(x, class_weights(labels, classes_));
}

at::Tensor Translator::path(const at::Tensor& x, const at::Tensor& from, const at::Tensor& to,
                            const at::Tensor& places) const {
  const at::Tensor start = class_weights(from, classes_), end = class_weights(to, classes_);
  std::vector<at::Tensor> images;
  for (std::int64_t i = 0; i < places.size(0); ++i)
    images.push_back(translate(x, at::lerp(start, end, places[i].item<double>())).images);
  return at::stack(images);
}

void Translator::check_fit(const at::Tensor& x, const Classifier& classifier) const {
  const nn::Shape shape = image_shape();
  if (x.sizes().slice(1) != at::IntArrayRef(shape))
    fail_usage("the translator takes images of {}, not of {}; give the one of these images",
               fmt::join(shape, " x "), fmt::join(x.sizes().slice(1), " x "));
  if (classes_ != classifier.classes())
    fail_usage("the translator has {} classes and the classifier {}; they must have the same", classes_,
               classifier.classes());
}

}  // namespace whence::models
