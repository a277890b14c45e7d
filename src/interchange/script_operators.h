// What each known TorchScript operation becomes in a Network: one table.
#pragma once

#include <string_view>
#include <vector>

#include "interchange/script_builder.h"
#include "interchange/script_symbols.h"

namespace whence::nn {

/// One operation of a graph with what is known of its arguments, which are found by the names of its schema.
/// Each accessor throws an Obstacle when the argument is not of its kind.
class OperatorCall {
 public:
  OperatorCall(const torch::jit::Node& node, const std::vector<Symbol>& arguments, NetworkBuilder& network)
      : node_(node), arguments_(arguments), network_(network) {}

  NetworkBuilder& network() { return network_; }
  LayerId layer(std::string_view argument) const;
  /// The first argument, whose name differs between overloads.
  LayerId first_layer() const;
  bool is_layer(std::string_view argument) const;
  /// Whether this overload of the operation has such an argument.
  bool has(std::string_view argument) const;
  std::vector<LayerId> layers(std::string_view argument) const;
  bool is_none(std::string_view argument) const;
  at::Tensor tensor(std::string_view argument) const;
  /// A constant tensor, or a number as a tensor of one.
  at::Tensor values(std::string_view argument) const;
  std::int64_t integer(std::string_view argument) const;
  double number(std::string_view argument) const;
  bool boolean(std::string_view argument) const;
  std::string text(std::string_view argument) const;
  bool is_list(std::string_view argument) const;
  bool is_text(std::string_view argument) const;
  std::vector<std::int64_t> integers(std::string_view argument) const;
  std::vector<double> numbers(std::string_view argument) const;
  /// A constant list.
  std::vector<c10::IValue> items(std::string_view argument) const;
  /// A list of sizes, in which the batch size may stand.
  std::vector<Symbol> sizes(std::string_view argument) const;
  /// Rows and columns, where one number stands for both.
  Extent extent(std::string_view argument) const;
  /// The one number of a list of equal ones, where Network knows square windows only.
  std::int64_t square(std::string_view argument) const;
  /// A dimension as a number from 0 (the batch) up, for a tensor of `layer`.
  std::int64_t dimension(std::string_view argument, LayerId layer) const;
  /// Whether nothing but one other operation reads the argument.
  bool is_read_once(std::string_view argument) const;
  template <class... Args>
  void require(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition)
      throw Obstacle(place_of(node_) + " has " + fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  std::size_t index_of(std::string_view argument) const;
  const Symbol& symbol(std::string_view argument) const { return arguments_[index_of(argument)]; }
  const c10::IValue& constant(std::string_view argument) const;

  const torch::jit::Node& node_;
  const std::vector<Symbol>& arguments_;
  NetworkBuilder& network_;
};

/// Adds the operation's layers and returns the one with its result.
using Operator = LayerId (*)(OperatorCall& call);

/// `name`: "aten::relu"; in-place operations under the name without the underscore. nullptr: not known.
Operator find_operator(std::string_view name);

}  // namespace whence::nn
