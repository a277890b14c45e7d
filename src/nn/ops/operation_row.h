// For the files of the operations: makes an operation's row from its traits.
//
//   template <>
//   struct Traits<Relu> : Defaults<Relu> { static constexpr std::string_view name = "Relu"; ... };
//   template struct Row<Relu>;
//
// Traits must define `name`, `passage`, `forward` and `torchscript`; what else they leave out is as in Defaults.
#pragma once

#include "nn/ops/operation.h"

namespace whence::nn {

template <class T>
struct Traits;

/// The operation's own parameters as they are, in x's format.
LinearTensors own_linear_tensors(const Layer& layer, const at::Tensor& x);

template <class T>
struct Defaults {
  static constexpr bool heavy = false, joins = false, mixes_samples = false;
  static constexpr ReluMerge relu = ReluMerge::none;

  static Shape shape(const T&, const ShapeQuery& query) { return query.input(); }
  static NamedTensors parameters(const T&, const Shape&) { return {}; }
  static NamedTensors buffers(const T&, const Shape&) { return {}; }
  static void initialise(const T&, const InitialValues&) {}
  static LinearTensors linear_tensors(const T&, const Layer& layer, const at::Tensor& x) {
    return own_linear_tensors(layer, x);
  }
};

template <class T>
const Operation& Row<T>::get() {
  using Own = Traits<T>;
  static constexpr Operation row = {
      .name = Own::name,
      .heavy = Own::heavy,
      .joins = Own::joins,
      .mixes_samples = Own::mixes_samples,
      .relu = Own::relu,
      .passage = Own::passage,
      .shape = [](const Op& op, const ShapeQuery& query) { return Own::shape(std::get<T>(op), query); },
      .parameters = [](const Op& op, const Shape& input) { return Own::parameters(std::get<T>(op), input); },
      .buffers = [](const Op& op, const Shape& input) { return Own::buffers(std::get<T>(op), input); },
      .initialise = [](const Op& op,
                       const InitialValues& values) { Own::initialise(std::get<T>(op), values); },
      .forward = [](const Op& op, const LayerCall& call) { return Own::forward(std::get<T>(op), call); },
      .torchscript = [](const Op& op,
                        const ScriptText& text) { return Own::torchscript(std::get<T>(op), text); },
      .linear_tensors = [](const Op& op, const Layer& layer,
                           const at::Tensor& x) { return Own::linear_tensors(std::get<T>(op), layer, x); },
  };
  return row;
}

}  // namespace whence::nn
