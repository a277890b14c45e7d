// Classifiers from TorchScript and .pt2 files.
#include <fmt/ranges.h>

#include "models/classifier_rows.h"
#include "models/function_check.h"
#include "nn/graph/shapes.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/models/roles.h"
#include "whence/platform/device.h"

namespace whence::models {
namespace {

using nn::Network;
using nn::ScriptModule;
using nn::Shape;

constexpr std::int64_t probe_images = 4;

/// What is known of an opaque model's answer.
struct Opaque {
  std::int64_t columns = 0;
  Rows rows = Rows::logits;
  std::optional<std::int64_t> label;
  Shape shape;  ///< of an image; empty where it is not known
  std::string why_opaque = "", no_gradient = "";
  bool as_returned = false;  ///< the caller said that the rows are logits
};

class ScriptClassifier final : public Classifier {
 public:
  ScriptClassifier(ScriptModule module, Opaque opaque)
      : module_(std::move(module)), own_(std::move(opaque)) {}
  at::Tensor logits(const at::Tensor& x) const override {
    if (!own_.no_gradient.empty() && at::GradMode::is_enabled() && x.requires_grad())
      fail("{}", own_.no_gradient);
    const at::Tensor rows = flat_rows(module_(x).front().to(at::kFloat));
    if (own_.rows == Rows::probabilities) return rows.clamp_min(smallest_probability).log();
    if (!own_.label) return rows;
    at::Tensor z = rows.select(1, *own_.label);
    if (own_.rows == Rows::labels)
      z = z.clamp_min(smallest_probability).log() - (1 - z).clamp_min(smallest_probability).log();
    return at::stack({at::zeros_like(z), z}, 1);
  }
  std::int64_t classes() const override { return own_.label ? 2 : own_.columns; }
  Shape input_shape() const override { return own_.shape; }
  at::Device device() const override { return module_.device(); }
  std::string why_opaque() const override { return own_.why_opaque; }

 private:
  ScriptModule module_;
  Opaque own_;
};

template <class Op>
bool ends_in(const Network& network) {
  return std::holds_alternative<Op>(network.layers()[network.outputs().front()].op);
}

void drop_last(Network& network) {
  const nn::Layer& last = network.layers()[network.outputs().front()];
  network.set_outputs({network.layers()[last.inputs.front()].name});
}

/// Where a network ends in what makes probabilities of logits, what this gets are the logits, free of the rounding of small
/// probabilities. False: its rows are probabilities, and it ends in something else.
bool take_logits(Network& network, Rows rows, bool as_returned) {
  const bool logarithms = rows == Rows::logits && !as_returned && ends_in<nn::LogSoftmax>(network);
  const bool known = (rows == Rows::probabilities && ends_in<nn::Softmax>(network)) ||
                     (rows == Rows::labels && ends_in<nn::Sigmoid>(network)) || logarithms;
  if (known) drop_last(network);
  return known || rows == Rows::logits;
}

std::string free_name(const Network& network, std::string name) {
  const auto is_taken = [&] {
    return std::any_of(network.layers().begin(), network.layers().end(),
                       [&](const nn::Layer& layer) { return layer.name == name; });
  };
  while (is_taken()) name += "_";
  return name;
}

/// The logits 0 and z of one label, from rows of all labels.
void choose_label(Network& network, std::int64_t label) {
  const at::NoGradGuard no_grad;
  std::string end = network.layers()[network.outputs().front()].name;
  if (network.output_shape().size() > 1) {
    const std::string flat = free_name(network, "flat_output");
    network.add(flat, nn::Flatten{}, {end});
    end = flat;
  }
  const std::string name = free_name(network, "one_label");
  network.add(name, nn::Linear{2, /*bias=*/false}, {end});
  network.layers().back().parameters[0].tensor.zero_()[1][label] = 1;
  network.set_outputs({name});
}

/// The module without the operation that makes probabilities of logits, if its code shows it; `rows` then are logits.
ScriptModule with_logits(const ScriptModule& module, Rows& rows) {
  const char* operation = rows == Rows::probabilities ? "softmax"
                          : rows == Rows::labels      ? "sigmoid"
                                                      : "log_softmax";
  std::optional<ScriptModule> inner = module.before(operation);
  if (!inner) return module;
  rows = Rows::logits;
  return *inner;
}

at::Tensor rows_of(const ScriptModule& module, const at::Tensor& samples) {
  const std::vector<at::Tensor> outputs = checked_outputs(module, samples);
  if (outputs.size() != 1) {
    std::vector<std::string> names = module.output_names();
    for (std::size_t i = names.size(); i < outputs.size(); ++i) names.push_back(std::to_string(i));
    fail(
        "{} returns {} tensors where one is expected; choose '{}' with --output (classifier.entry in a "
        "recipe), or export a model that returns only the one",
        module.path().string(), outputs.size(), fmt::join(names, "' or '"));
  }
  at::Tensor rows = flat_rows(outputs.front());
  if (rows.dim() != 2 || rows.size(1) < 1)
    fail(
        "{} returns a tensor of shape {} for {} samples; a classifier must return one row of class scores "
        "per sample",
        module.path().string(), nn::text_of(rows.sizes()), samples.size(0));
  return rows;
}

std::unique_ptr<Classifier> opaque_classifier(ScriptModule module, const at::Tensor& probe, Opaque own) {
  own.no_gradient = gradient_obstacle(module, checked_samples(probe));
  if (!own.as_returned) module = with_logits(module, own.rows);
  module.to(probe.device());
  return std::make_unique<ScriptClassifier>(std::move(module), std::move(own));
}

/// `shape`: of an image, where the file tells it.
std::unique_ptr<Classifier> classifier_of(ScriptModule module, const at::Tensor& probe,
                                          const ClassifierReading& reading, Precision precision,
                                          Shape shape) {
  const at::Tensor samples = checked_samples(probe);
  const at::Tensor rows = rows_of(module, samples);
  Opaque own{.columns = rows.size(1), .label = reading.label, .shape = std::move(shape)};
  own.rows = meaning_of(module, samples, rows, reading);
  own.as_returned = reading.output == ClassifierOutput::logits;
  if (own.columns == 1) own.label = 0;
  std::optional<Network> network = module.translate(sample_shape(probe), &own.why_opaque);
  if (network && take_logits(*network, own.rows, own.as_returned)) {
    if (own.label) choose_label(*network, *own.label);
    network->to(probe.device());
    return as_classifier(*network, precision);
  }
  if (network)
    own.why_opaque =
        own.rows == Rows::labels
            ? "it returns probabilities, but its last operation is not a sigmoid"
            : "it returns probabilities, but its last operation is not a softmax over the classes";
  return opaque_classifier(std::move(module), probe, std::move(own));
}

ScriptModule load_chosen(const std::filesystem::path& file, const ClassifierReading& reading) {
  ScriptModule module = load_frozen(file);
  module.choose_output(reading.entry);
  return module;
}

}  // namespace

std::unique_ptr<Classifier> load_classifier(const std::filesystem::path& file, const at::Tensor& probe,
                                            const ClassifierReading& reading, Precision precision) {
  return classifier_of(load_chosen(file, reading), probe, reading, precision, {});
}

std::unique_ptr<Classifier> load_classifier(const std::filesystem::path& file,
                                            const ClassifierReading& reading, Precision precision) {
  ScriptModule module = load_chosen(file, reading);
  std::string obstacle;
  const std::optional<Shape> shape = module.input_shape(&obstacle);
  if (!shape) {
    fail("{} does not tell the shape of its images ({}); give it as CHANNELSxHEIGHTxWIDTH, such as 3x32x32",
         file.string(), obstacle);
  }
  Shape sizes = {probe_images};
  sizes.insert(sizes.end(), shape->begin(), shape->end());
  const Generator generator = make_generator(0, "models/probe");
  const at::Tensor probe = at::rand(sizes, generator, draws_of(generator));
  return classifier_of(std::move(module), probe, reading, precision, *shape);
}

}  // namespace whence::models
