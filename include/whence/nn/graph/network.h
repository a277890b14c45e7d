// A network is data: a small directed graph of named layers that can be trained, run from any layer to any layer,
// saved and exported.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whence/nn/ops/ops.h"
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
};

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
  /// The outputs of the layers `wanted` for input x; computes no layer that none of them needs.
  std::vector<at::Tensor> activations(const at::Tensor& x, const std::vector<LayerId>& wanted,
                                      const Execution& execution = {}) const;
  /// Starts from `value` as the output of layer `from` and returns the output of layer `to`. Error: `to` also depends
  /// on a layer before `from` that `from` does not separate it from.
  at::Tensor run(LayerId from, LayerId to, const at::Tensor& value, const Execution& execution = {}) const;

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
