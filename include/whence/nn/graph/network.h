// A network is data: a small directed graph of named layers that can be trained, run from any layer to any layer,
// saved and exported.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whence/nn/ops/ops.h"
#include "whence/platform/exchange.h"
#include "whence/platform/precision.h"

namespace whence::nn {

/// Index into Network::layers(). Layer 0 is the input.
using LayerId = std::size_t;

struct NamedTensor {
  std::string name;  ///< "layer.weight", "layer.bias", "layer.running_mean", ... (PyTorch's names)
  at::Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

struct Layer {
  std::string name;
  Op op;
  std::vector<LayerId> inputs;
  Shape shape;              ///< of its output, one sample
  NamedTensors parameters;  ///< learned; float32 leaves ("weight", "bias")
  NamedTensors buffers;     ///< kept but not learned ("running_mean", "running_var")
};

/// How a run is carried out.
struct Execution {
  Precision precision = Precision::float32;
  bool training = false;  ///< dropout drops, batch norm uses and updates batch statistics
  /// The stream of dropout masks; required when training a network with dropout.
  at::Generator* dropout = nullptr;
  /// Which part of a batch the samples are: in training, batch norm takes its statistics over all parts.
  BatchPart part = {};
};

/// What a layer is made to put out instead: function(its output). Both have the shape (N, layer.shape).
struct Intervention {
  LayerId layer;
  std::function<at::Tensor(const at::Tensor& output)> function;
};

/// A layer's output, taken as it is: (N, layer.shape).
struct Activation {
  LayerId layer;
  at::Tensor value;
};

// whence/nn/graph/walk_back.h
class Rules;
struct Start;
struct Relevance;

/// Layers are added in the order of execution; shapes are inferred and checked as they are added, so a network that
/// exists is consistent. Copying shares parameter tensors; clone() does not.
class Network {
 public:
  Network(std::string name, Shape input);

  /// Adds a layer behind the last one, or behind the named ones. Error: shapes that do not fit, a name that is taken
  /// or holds a dot, an unknown input; the sentence names network, layer, operation and shapes.
  LayerId add(std::string layer, Op op);
  LayerId add(std::string layer, Op op, const std::vector<std::string>& inputs);
  /// Names the outputs, in order; by default the last layer is the only one.
  void set_outputs(const std::vector<std::string>& layers);

  const std::string& name() const { return name_; }
  const std::vector<Layer>& layers() const { return layers_; }
  const std::vector<LayerId>& outputs() const { return outputs_; }
  const Shape& input_shape() const { return layers_.front().shape; }
  const Shape& output_shape(std::size_t output = 0) const { return layers_[outputs_[output]].shape; }
  /// Error: no such layer; names the nearest one.
  LayerId find(std::string_view layer) const;

  /// x: (N, input_shape) float32 -> the first output, float32.
  at::Tensor forward(const at::Tensor& x, const Execution& execution = {}) const;
  /// All outputs in order.
  std::vector<at::Tensor> forward_all(const at::Tensor& x, const Execution& execution = {}) const;
  /// The outputs of all layers for input x, by LayerId.
  std::vector<at::Tensor> activations(const at::Tensor& x, const Execution& execution = {}) const;
  /// The outputs of the layers `wanted` for input x; computes no layer that none of them needs.
  std::vector<at::Tensor> activations(const at::Tensor& x, const std::vector<LayerId>& wanted,
                                      const Execution& execution = {}) const;

  /// The first output for input x when the output of each named layer is replaced by function(output) before any other
  /// layer reads it: what a network does downstream of a change (Pearl 2009, do(layer = ...)). The layers may lie on
  /// branches or behind one another. A later function then gets the changed values. Differentiable in x and in what the
  /// functions use. Error: a layer that is named twice, a function that returns another shape.
  at::Tensor intervene(const at::Tensor& x, const std::vector<Intervention>& interventions,
                       const Execution& execution = {}) const;
  /// The same for all outputs in order.
  std::vector<at::Tensor> intervene_all(const at::Tensor& x, const std::vector<Intervention>& interventions,
                                        const Execution& execution = {}) const;

  /// The first output, computed from the outputs of the layers `given`; only what depends on them is computed. Error:
  /// the output also depends on the input in a way that no given layer cuts off, a layer that is given twice, shapes or
  /// batches that do not fit.
  at::Tensor forward_from(const std::vector<Activation>& given, const Execution& execution = {}) const;
  /// The same for all outputs in order.
  std::vector<at::Tensor> forward_all_from(const std::vector<Activation>& given,
                                           const Execution& execution = {}) const;
  /// The same for one layer as the start and any layer as the end. Error besides: `to` does not depend on `from`.
  at::Tensor run(LayerId from, LayerId to, const at::Tensor& value, const Execution& execution = {}) const;

  /// Shares a relevance at one layer out among all layers before it, by the rule of each layer. `activations`: the outputs
  /// of all layers, from activations(x). Runs in float32 (or float64) and records no gradients. Error: a rule that cannot
  /// pass an operation, shapes that do not fit. See whence/nn/graph/walk_back.h.
  Relevance walk_back(const std::vector<at::Tensor>& activations, const Start& start,
                      const Rules& rules) const;

  /// Full names ("conv1.weight"), in the order of the layers.
  NamedTensors parameters() const;
  /// Parameters and buffers.
  NamedTensors state() const;
  /// Copies values in. Error: missing, surplus, misshapen or mistyped tensors, all of them named; then nothing changed.
  void load_state(const NamedTensors& state);

  std::int64_t parameter_count() const;
  /// Whether a sample's output depends on the other samples of the batch when it is trained (batch norm).
  bool mixes_samples() const;
  void require_gradients(bool required);
  /// Where its parameters lie; the processor for a network without any.
  at::Device device() const;
  /// Moves parameters and buffers there, before an optimizer takes them; copies that shared them stay where they are.
  void to(at::Device device);
  Network clone() const;
  Network clone(std::string name) const;
  /// A copy without gradients, whose weights are already in the format that `precision` runs them in: for networks
  /// that are used many times and never trained.
  Network frozen(Precision precision) const;
  /// A copy that computes the same in evaluation mode, in which each batch normalisation that alone reads a convolution or
  /// linear layer is part of that layer's weight and bias, and passes its input on. Layers keep their names and numbers.
  /// Relevance is shared out by such a product as a whole (Hui & Binder 2019, "BatchNorm decomposition for deep neural
  /// network interpretation").
  Network with_merged_norms() const;

 private:
  std::string name_;
  std::vector<Layer> layers_;
  std::vector<LayerId> outputs_;
  bool outputs_named_ = false;
};

/// Initial values. PyTorch's defaults, except where a text says otherwise.
struct Initialisation {
  /// Weights of convolutions and linear layers N(0, 2 / fan in), or N(0, 1 / fan in) where no ReLU follows, with
  /// zero bias: what goes through a new network keeps its size, however deep the network is (He et
  /// al. 2015, "Delving deep into rectifiers", section 2.2). convolution_deviation is then unused.
  bool keeps_size = false;
  /// Weights of (transposed) convolutions: N(0, deviation) with zero bias when > 0; PyTorch's uniform when 0.
  double convolution_deviation = 0;
};
void initialise(Network& network, const Initialisation& options, at::Generator& generator);

}  // namespace whence::nn
