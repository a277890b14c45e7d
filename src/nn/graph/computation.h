// One run through a part of a graph.
#pragma once

#include <optional>
#include <vector>

#include "whence/nn/graph/network.h"

namespace whence::nn {

/// What a run computes, and from what.
struct Computation {
  const Network& network;
  std::vector<LayerId> wanted;
  /// By LayerId: the layers whose outputs are given. They and all that only they need are not computed.
  std::vector<at::Tensor> given;
  /// By LayerId: null where a layer's output stays as it is; never for a given layer but the input.
  std::vector<const Intervention*> interventions;

  Computation(const Network& graph, std::vector<LayerId> ends)
      : network(graph),
        wanted(std::move(ends)),
        given(graph.layers().size()),
        interventions(graph.layers().size(), nullptr) {}
};

/// Which layers a run must compute or have: those that the wanted ones depend on, up to the given ones.
std::vector<bool> needed_layers(const Computation& computation);

/// The outputs of the wanted layers, float32 where they ran in bfloat16. Intermediate results are released as soon as no
/// later layer reads them. Every needed layer must depend on given ones alone.
std::vector<at::Tensor> compute(const Computation& computation, const Execution& execution);

}  // namespace whence::nn
