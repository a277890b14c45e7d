// Reads a TorchScript graph and builds the layers it consists of.
#pragma once

#include <unordered_map>
#include <vector>

#include "interchange/script_builder.h"
#include "interchange/script_symbols.h"

namespace whence::nn {

/// Walks a frozen, inlined graph in the order of its execution. Sizes, conditions and everything else that
/// does not depend on the input's values is computed on the way, so that only operations on tensors remain.
/// Throws an Obstacle at the first operation that is not known.
class GraphReader {
 public:
  explicit GraphReader(NetworkBuilder& network) : network_(network) {}

  /// The graph's second input (the first is the module itself) is layer 0; returns its outputs, or the chosen `entry` of them.
  std::vector<LayerId> read(const torch::jit::Graph& graph, const std::string& entry = "");

 private:
  void read(const torch::jit::Block& block);
  void read(const torch::jit::Node& node);
  void read_branch(const torch::jit::Node& node);
  void make_list(const torch::jit::Node& node, const std::vector<Symbol>& inputs);
  void unpack(const torch::jit::Node& node, const Symbol& sequence);
  /// Operations on sizes, where the batch size may stand among constants. False: not one of these.
  bool read_size(const torch::jit::Node& node, const std::vector<Symbol>& inputs);
  bool read_constant(const torch::jit::Node& node, const std::vector<Symbol>& inputs);
  /// list.append(item), as in networks that collect what they concatenate.
  bool read_append(const torch::jit::Node& node, const std::vector<Symbol>& inputs);
  /// Operations whose result is a list of layers.
  bool read_parts(const torch::jit::Node& node, const std::vector<Symbol>& inputs);
  bool read_layer(const torch::jit::Node& node, const std::vector<Symbol>& inputs);

  std::vector<Symbol> symbols_of(at::ArrayRef<const torch::jit::Value*> values) const;
  void set(const torch::jit::Node& node, Symbol symbol) { known_[node.output()] = std::move(symbol); }
  void replace(LayerId before, LayerId after);

  NetworkBuilder& network_;
  std::unordered_map<const torch::jit::Value*, Symbol> known_;
};

}  // namespace whence::nn
