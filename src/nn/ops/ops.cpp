#include "whence/nn/ops/ops.h"

namespace whence::nn {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

template <std::size_t... index>
std::vector<std::string_view> names(std::index_sequence<index...>) {
  return {name_of(Op(std::in_place_index<index>))...};
}

}  // namespace

std::vector<std::string_view> operation_names() {
  return names(std::make_index_sequence<std::variant_size_v<Op>>());
}

std::string_view name_of(const Op& op) {
  return std::visit(Overloaded{[](const Input&) { return "Input"; },
                               [](const Conv2d&) { return "Conv2d"; },
                               [](const ConvTranspose2d&) { return "ConvTranspose2d"; },
                               [](const Linear&) { return "Linear"; },
                               [](const BatchNorm2d&) { return "BatchNorm2d"; },
                               [](const BatchNorm1d&) { return "BatchNorm1d"; },
                               [](const ScaleShift&) { return "ScaleShift"; },
                               [](const Relu&) { return "Relu"; },
                               [](const LeakyRelu&) { return "LeakyRelu"; },
                               [](const Sigmoid&) { return "Sigmoid"; },
                               [](const Tanh&) { return "Tanh"; },
                               [](const Softmax&) { return "Softmax"; },
                               [](const LogSoftmax&) { return "LogSoftmax"; },
                               [](const MaxPool2d&) { return "MaxPool2d"; },
                               [](const AvgPool2d&) { return "AvgPool2d"; },
                               [](const GlobalAvgPool2d&) { return "GlobalAvgPool2d"; },
                               [](const Dropout&) { return "Dropout"; },
                               [](const Dropout2d&) { return "Dropout2d"; },
                               [](const Flatten&) { return "Flatten"; },
                               [](const Reshape&) { return "Reshape"; },
                               [](const ZeroPad2d&) { return "ZeroPad2d"; },
                               [](const UpsampleNearest2d&) { return "UpsampleNearest2d"; },
                               [](const Add&) { return "Add"; },
                               [](const Concat&) { return "Concat"; }},
                    op);
}

}  // namespace whence::nn
