#include "nn/ops/operation.h"

#include "whence/nn/ops/ops.h"

namespace whence::nn {
namespace {

template <std::size_t... index>
std::vector<std::string_view> names_of_operations(std::index_sequence<index...>) {
  return {name_of(Op(std::in_place_index<index>))...};
}

}  // namespace

const Operation& operation_of(const Op& op) {
  return std::visit([]<class T>(const T&) -> const Operation& { return Row<T>::get(); }, op);
}

std::string_view name_of(const Op& op) { return operation_of(op).name; }

std::vector<std::string_view> operation_names() {
  return names_of_operations(std::make_index_sequence<std::variant_size_v<Op>>());
}

}  // namespace whence::nn
