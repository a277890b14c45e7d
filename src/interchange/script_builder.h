// The layers that a TorchScript graph turns out to consist of.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// Collects layers and makes them a Network in the end, so that a layer can still change when a later
/// operation turns out to belong to it (the bias that follows a matrix product).
class NetworkBuilder {
 public:
  /// `tensor_names`: where a tensor's data lies -> its name in the module ("features.0.weight").
  NetworkBuilder(std::string name, const Shape& input, std::map<const void*, std::string> tensor_names);

  /// Error: shapes that do not fit. `values`: parameters and buffers by PyTorch's names; absent ones keep
  /// their initial values (a batch normalisation without an affine map).
  LayerId add(Op op, const std::vector<LayerId>& inputs, NamedTensors values = {});
  void add_bias(LayerId linear, const at::Tensor& bias);
  /// Of a linear layer's features those that `features` (int64) names, in that order.
  void keep_features(LayerId linear, const at::Tensor& features);

  const Shape& shape(LayerId layer) const { return layers_[layer].shape; }
  const Op& op(LayerId layer) const { return layers_[layer].op; }

  /// Error: a weight that does not fit its layer.
  Network build(const std::vector<LayerId>& outputs) const;

 private:
  struct Planned {
    std::string name;
    Op op;
    std::vector<LayerId> inputs;
    Shape shape;
    NamedTensors values;
  };
  std::string name_for(const Op& op, const NamedTensors& values);
  bool is_taken(const std::string& name) const;

  std::string name_;
  std::vector<Planned> layers_;
  std::map<const void*, std::string> tensor_names_;
  std::map<std::string, int> unnamed_;
};

}  // namespace whence::nn
