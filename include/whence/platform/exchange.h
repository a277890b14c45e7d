// Where the parts of a batch meet while they work: for what needs the whole batch, such as batch norm.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace whence {

/// Hands what each part of a batch has to all of them. May be used for several runs of the same number of parts, one after the
/// other.
class Exchange {
 public:
  explicit Exchange(std::int64_t parts);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  std::int64_t parts() const;
  /// What all parts gave, in their order, on each part; waits for the last. All parts call it equally often, from within run_parts.
  /// Error: a part has failed.
  std::vector<at::Tensor> all(std::int64_t part, const at::Tensor& own);

 private:
  friend void run_parts(Exchange& exchange, const std::function<void(std::int64_t part)>& body);
  struct State;
  std::unique_ptr<State> state_;
};

/// A part of a batch at work. By default: the whole batch.
struct BatchPart {
  Exchange* exchange = nullptr;  ///< outlives what was computed, for its gradients need it
  std::int64_t part = 0;

  bool is_first() const { return part == 0; }
  /// Of all parts, in their order.
  std::vector<at::Tensor> all(const at::Tensor& own) const {
    return exchange == nullptr ? std::vector<at::Tensor>{own} : exchange->all(part, own);
  }
};

/// run_parts (whence/platform/parts.h) for parts that meet. A part that fails ends the wait of the others; its error is rethrown.
/// Error: OpenMP has fewer threads than LibTorch, so that the parts cannot work at the same time.
void run_parts(Exchange& exchange, const std::function<void(std::int64_t part)>& body);

}  // namespace whence
