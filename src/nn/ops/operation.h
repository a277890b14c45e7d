// What the library knows of one operation, as a row of functions. Each operation's own file fills its row in; the rest of the
// library asks for it by operation_of and names no operation. To add one: its struct in whence/nn/ops/ops.h, its file here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nn/ops/initial_values.h"
#include "nn/ops/layer_call.h"
#include "nn/ops/script_text.h"
#include "nn/ops/shape_query.h"
#include "whence/nn/graph/network.h"

namespace whence::nn {

/// The ReLU whose work an operation can do with its own.
enum class ReluMerge {
  none,
  behind,   ///< of a ReLU that alone reads the operation's output
  in_front  ///< of a ReLU whose output the operation alone reads
};

/// How relevance passes an operation (whence/nn/graph/walk_back.h).
enum class Passage {
  adds,        ///< sums weighted inputs: Linear, convolutions, average pools, Add
  scales,      ///< one input an output, times a number, plus a number: batch normalisation, ScaleShift
  copies,      ///< every output is a copy of one input, or 0: Flatten, Concat, padding, maximum pooling, ...
  activates,   ///< a function of each value alone
  gates,       ///< a signal times a number from elsewhere, which says how much of it passes: Gate
  normalises,  ///< every output depends on all inputs in a way that no rule shares out: Softmax, LogSoftmax
};

/// Undefined: no such tensor. The weights of average pools and Add are positive numbers that nothing changes.
struct LinearTensors {
  at::Tensor weight, bias;
};

struct Operation {
  std::string_view name;
  /// Convolutions and linear maps: where the time goes, and what bfloat16 is for.
  bool heavy;
  /// Takes two inputs or more; else exactly one.
  bool joins;
  /// In training, a sample's output depends on the other samples of its batch.
  bool mixes_samples;
  ReluMerge relu;
  Passage passage;

  /// The output's shape for one sample. Error: inputs that the operation cannot take, settings out of range.
  Shape (*shape)(const Op& op, const ShapeQuery& query);
  /// Learned tensors, zero, behind an input of shape `input`: "weight" before "bias".
  NamedTensors (*parameters)(const Op& op, const Shape& input);
  NamedTensors (*buffers)(const Op& op, const Shape& input);
  void (*initialise)(const Op& op, const InitialValues& values);
  at::Tensor (*forward)(const Op& op, const LayerCall& call);
  /// A TorchScript expression.
  std::string (*torchscript)(const Op& op, const ScriptText& text);
  /// Of a layer that adds or scales, without gradients, in x's format; in a shape that broadcasts over x where it scales.
  LinearTensors (*linear_tensors)(const Op& op, const Layer& layer, const at::Tensor& x);
};

const Operation& operation_of(const Op& op);

/// The row of the operation T: defined by operation_row.h in the one file that knows T.
template <class T>
struct Row {
  static const Operation& get();
};

}  // namespace whence::nn
