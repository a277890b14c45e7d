#include "nn/graph/computation.h"

#include "nn/graph/execute.h"
#include "nn/graph/shapes.h"
#include "nn/ops/operation.h"
#include "whence/core/error.h"

namespace whence::nn {
namespace {

using Layers = std::vector<Layer>;

/// Which layers this run computes itself.
std::vector<bool> computed_layers(const Computation& computation) {
  std::vector<bool> computed = needed_layers(computation);
  for (LayerId id = 0; id < computed.size(); ++id) {
    if (computation.given[id].defined()) computed[id] = false;
  }
  return computed;
}

/// How often each layer's output is read: by other layers, by an intervention, as a result.
std::vector<std::size_t> count_readers(const Computation& computation, const std::vector<bool>& computed) {
  const Layers& layers = computation.network.layers();
  std::vector<std::size_t> readers(layers.size(), 0);
  for (const LayerId id : computation.wanted) ++readers[id];
  for (LayerId id = 0; id < layers.size(); ++id) {
    if (computation.interventions[id] != nullptr) ++readers[id];
    if (!computed[id]) continue;
    for (const LayerId input : layers[id].inputs) ++readers[input];
  }
  return readers;
}

/// For each ReLU whose work another layer does, that layer: one that alone reads it (a maximum pooling), or one that it
/// alone reads (a convolution, a batch normalisation).
std::vector<std::optional<LayerId>> merged_relus(const Layers& layers, const std::vector<bool>& computed,
                                                 const std::vector<std::size_t>& readers) {
  std::vector<std::optional<LayerId>> doer(layers.size());
  for (LayerId id = 0; id < layers.size(); ++id) {
    if (!computed[id] || operation_of(layers[id].op).relu != ReluMerge::in_front) continue;
    const LayerId input = layers[id].inputs.front();
    const bool reads_relu = computed[input] && std::holds_alternative<Relu>(layers[input].op);
    if (reads_relu && readers[input] == 1) doer[input] = id;
  }
  for (LayerId id = 0; id < layers.size(); ++id) {
    if (!computed[id] || doer[id] || !std::holds_alternative<Relu>(layers[id].op)) continue;
    const LayerId input = layers[id].inputs.front();
    const bool takes_it = operation_of(layers[input].op).relu == ReluMerge::behind;
    if (takes_it && computed[input] && readers[input] == 1) doer[id] = input;
  }
  return doer;
}

/// function(output), in the output's format.
at::Tensor changed(const Computation& computation, LayerId id, const at::Tensor& output) {
  const Intervention& intervention = *computation.interventions[id];
  const bool narrow = output.scalar_type() == at::kBFloat16;
  const at::Tensor value = intervention.function(narrow ? output.to(at::kFloat) : output);
  if (!value.defined() || value.sizes() != output.sizes()) {
    fail("network \"{}\", layer \"{}\": the intervention returned a tensor of shape {} instead of {}",
         computation.network.name(), computation.network.layers()[id].name,
         value.defined() ? text_of(value.sizes()) : "nothing", text_of(output.sizes()));
  }
  return value.to(output.scalar_type());
}

}  // namespace

std::vector<bool> needed_layers(const Computation& computation) {
  const Layers& layers = computation.network.layers();
  std::vector<bool> needed(layers.size(), false);
  for (const LayerId id : computation.wanted) needed[id] = true;
  for (LayerId id = layers.size(); id-- > 0;) {
    if (!needed[id] || computation.given[id].defined()) continue;
    for (const LayerId input : layers[id].inputs) needed[input] = true;
  }
  return needed;
}

std::vector<at::Tensor> compute(const Computation& computation, const Execution& execution) {
  const Layers& layers = computation.network.layers();
  const std::vector<bool> computed = computed_layers(computation);
  const std::vector<bool> last = ends_of_paths(layers);
  std::vector<std::size_t> readers = count_readers(computation, computed);
  const std::vector<std::optional<LayerId>> doer = merged_relus(layers, computed, readers);

  std::vector<at::Tensor> values = computation.given;
  for (LayerId id = 0; id < layers.size(); ++id) {
    if (computed[id]) {
      std::vector<at::Tensor> inputs;
      for (const LayerId input : layers[id].inputs) {
        inputs.push_back(values[input]);
        if (--readers[input] == 0) values[input].reset();
      }
      if (doer[id]) {
        values[id] = std::move(inputs.front());
      } else {
        const bool relu = std::find(doer.begin(), doer.end(), std::optional(id)) != doer.end();
        values[id] = execute(layers[id], std::move(inputs), execution, last[id], relu);
      }
    }
    if (computation.interventions[id] != nullptr && values[id].defined()) {
      values[id] = changed(computation, id, values[id]);
      if (--readers[id] == 0) values[id].reset();
    }
  }

  std::vector<at::Tensor> results;
  for (const LayerId id : computation.wanted) {
    const at::Tensor& result = values[id];
    results.push_back(result.scalar_type() == at::kBFloat16 ? result.to(at::kFloat) : result);
  }
  return results;
}

}  // namespace whence::nn
