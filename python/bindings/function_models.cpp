// Python functions as Classifier, Decoder and Encoder: what they compute stays in autograd's graph.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "bindings/bindings.h"
#include "whence/core/error.h"

namespace whence::python {
namespace {

constexpr double kSmallestProbability = 1e-12;
constexpr double kRowSum = 1e-3;
/// Difference of two answers that are the same but for rounding, as a part of the largest value.
constexpr double kSame = 1e-3;

/// A fresh contiguous copy: some modules write into their input, and view() fails on other layouts.
at::Tensor copied(const at::Tensor& x) { return x.clone(at::MemoryFormat::Contiguous); }

/// Called from any thread; the interpreter is taken for the call. The function's exceptions pass through as they are.
std::vector<at::Tensor> call(const py::object& function, const at::Tensor& x) {
  const py::gil_scoped_acquire held;
  const py::object result = function(copied(x));
  if (py::isinstance<py::tuple>(result) || py::isinstance<py::list>(result))
    return result.cast<std::vector<at::Tensor>>();
  try {
    return {result.cast<at::Tensor>()};
  } catch (const py::cast_error&) {
    fail("the model returns {}, but must return a tensor",
         std::string(py::str(py::type::handle_of(result).attr("__name__"))));
  }
}

at::Tensor flat_rows(const at::Tensor& output) {
  return output.dim() == 4 && output.size(2) == 1 && output.size(3) == 1 ? output.flatten(1) : output;
}

void check_same(const at::Tensor& expected, const at::Tensor& found, const char* what, const char* advice) {
  const double scale = std::max(expected.abs().max().item<double>(), 1e-12);
  if (expected.sizes() != found.sizes() || (expected - found).abs().max().item<double>() > kSame * scale)
    fail("the model gives {}; {}", what, advice);
}

/// Of a model on a few inputs. Errors: no tensor with a finite row for each; no function of each input alone.
std::vector<at::Tensor> checked_outputs(const py::object& function, const at::Tensor& probe) {
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> outputs = call(function, probe), again = call(function, probe),
                                alone = call(function, probe.narrow(0, 0, 1));
  if (outputs.empty() || again.size() != outputs.size() || alone.size() != outputs.size())
    fail("the model returns {} tensors, then {}; it must always return the same ones", outputs.size(),
         again.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const at::Tensor& output = outputs[i];
    if (!output.is_floating_point() || output.dim() < 2 || output.size(0) != probe.size(0))
      fail(
          "the model returns {} dimensions and {} rows for {} inputs; it must return one row of numbers for "
          "each",
          output.dim(), output.dim() > 0 ? output.size(0) : 0, probe.size(0));
    if (!output.isfinite().all().item<bool>())
      fail("the model returns NaN or infinity; check its weights and the range of its inputs");
    check_same(output, again[i], "other answers when it is asked again",
               "call model.eval(), and draw no random numbers");
    check_same(output.narrow(0, 0, 1), alone[i], "another answer for an input alone than in a batch",
               "call model.eval(), so that inputs do not change one another's answers");
  }
  return outputs;
}

class FunctionClassifier final : public models::Classifier {
 public:
  FunctionClassifier(py::object function, const at::Tensor& probe, const std::string& output)
      : function_(std::move(function)), shape_(probe.sizes().slice(1).vec()), device_(probe.device()) {
    const at::Tensor rows = flat_rows(checked_outputs(function_, probe).front());
    if (rows.dim() != 2 || rows.size(1) < 2)
      fail(
          "a classifier must return a row of at least 2 class scores for each image, not {} dimensions with "
          "{} "
          "values (turn one sigmoid output p into the two columns 1 - p and p)",
          rows.dim(), rows.size(1));
    classes_ = rows.size(1);
    const bool looks_so =
        rows.min().item<double>() >= 0 && (rows.sum(1) - 1).abs().max().item<double>() <= kRowSum;
    if (output == "probabilities" && !looks_so)
      fail("the model should return probabilities, but its rows do not sum to 1; it seems to return logits");
    probabilities_ = output == "logits" ? false : looks_so;
  }
  at::Tensor logits(const at::Tensor& x) const override {
    const at::Tensor output = flat_rows(call(function_, x.to(device_)).front().to(at::kFloat));
    return probabilities_ ? output.clamp_min(kSmallestProbability).log() : output;
  }
  std::int64_t classes() const override { return classes_; }
  nn::Shape input_shape() const override { return shape_; }
  std::string why_opaque() const override {
    return "the model is a Python function; give a torch.nn.Module that torch.jit.trace can follow, or a "
           "model file";
  }
  at::Device device() const override { return device_; }

 private:
  py::object function_;
  nn::Shape shape_;
  at::Device device_;
  std::int64_t classes_ = 0;
  bool probabilities_ = false;
};

class FunctionDecoder final : public models::Decoder {
 public:
  FunctionDecoder(py::object function, std::int64_t latents, at::Device device)
      : function_(std::move(function)), latents_(latents), device_(device) {
    checked_outputs(
        function_,
        at::linspace(-1, 1, 2 * latents, at::TensorOptions(device).dtype(at::kFloat)).view({2, latents}));
  }
  at::Tensor decode(const at::Tensor& z) const override {
    return call(function_, z.to(device_)).front().to(at::kFloat);
  }
  std::int64_t latents() const override { return latents_; }
  at::Device device() const override { return device_; }

 private:
  py::object function_;
  std::int64_t latents_;
  at::Device device_;
};

class FunctionEncoder final : public models::Encoder {
 public:
  FunctionEncoder(py::object function, const at::Tensor& probe)
      : function_(std::move(function)), device_(probe.device()) {
    latents_ = posterior(checked_outputs(function_, probe)).mean.size(1);
  }
  models::Posterior encode(const at::Tensor& x) const override {
    return posterior(call(function_, x.to(device_)));
  }
  std::int64_t latents() const override { return latents_; }
  at::Device device() const override { return device_; }

 private:
  static models::Posterior posterior(std::vector<at::Tensor> outputs) {
    if (outputs.size() == 1) outputs = outputs.front().chunk(2, 1);
    if (outputs.size() != 2 || outputs[0].sizes() != outputs[1].sizes() || outputs[0].dim() != 2)
      fail(
          "an encoder must return the mean and the log-variance, each (images, latents), or both in one "
          "tensor "
          "with the mean first");
    return {outputs[0].to(at::kFloat), outputs[1].to(at::kFloat)};
  }

  py::object function_;
  std::int64_t latents_ = 0;
  at::Device device_;
};

}  // namespace

void add_function_models(py::module_& module) {
  module.def("classifier_of_function",
             [](py::object function, const at::Tensor& probe, const std::string& output) -> ClassifierPtr {
               return std::make_shared<FunctionClassifier>(std::move(function), probe, output);
             });
  module.def("decoder_of_function",
             [](py::object function, std::int64_t latents, const std::string& device) -> DecoderPtr {
               return std::make_shared<FunctionDecoder>(std::move(function), latents, at::Device(device));
             });
  module.def("encoder_of_function", [](py::object function, const at::Tensor& probe) -> EncoderPtr {
    return std::make_shared<FunctionEncoder>(std::move(function), probe);
  });
}

}  // namespace whence::python
