#include "step_profile.h"

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>

#include <chrono>
#include <map>
#include <mutex>
#include <thread>

namespace whence::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Times {
  double forward = 0, backward = 0;
};

/// What one thread does. The layers announce themselves to LibTorch's profiler (RECORD_USER_SCOPE). Autograd numbers each
/// thread's nodes as they are made, so that a node's number tells which layer's forward pass made it.
class Recorder {
 public:
  void enter(const at::RecordFunction& function) {
    if (function.scope() == at::RecordScope::USER_SCOPE)
      open_.push_back({function.name(), at::sequence_number::peek()});
    started_.push_back(Clock::now());
  }

  void leave(const at::RecordFunction& function) {
    const double seconds = std::chrono::duration<double>(Clock::now() - started_.back()).count();
    started_.pop_back();
    if (function.scope() == at::RecordScope::BACKWARD_FUNCTION) {
      if (started_.empty()) times_[layer_of(function.seqNr())].backward += seconds;
      return;
    }
    const auto [name, first] = open_.back();
    open_.pop_back();
    if (open_.empty()) return;  // a network
    const std::string layer = open_.back().first + "." + name;
    if (times_.emplace(layer, Times{}).second) order_.push_back(layer);
    times_[layer].forward += seconds;
    if (const auto end = at::sequence_number::peek(); end > first) made_[end] = {first, layer};
  }

  const std::map<std::string, Times>& times() const { return times_; }
  const std::vector<std::string>& order() const { return order_; }

 private:
  /// "" for a node that no layer made.
  std::string layer_of(std::int64_t number) const {
    const auto next = number < 0 ? made_.end() : made_.upper_bound(static_cast<std::uint64_t>(number));
    if (next == made_.end() || static_cast<std::uint64_t>(number) < next->second.first) return "";
    return next->second.second;
  }

  std::vector<std::pair<std::string, std::uint64_t>> open_;
  std::vector<Clock::time_point> started_;
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>>
      made_;  ///< end of the numbers -> first, layer
  std::map<std::string, Times> times_;
  std::vector<std::string> order_;
};

/// The recorders of all threads that work on a step: each thread has a part of the batch.
class Recorders {
 public:
  Recorder& of_this_thread() {
    const std::lock_guard lock(mutex_);
    return recorders_[std::this_thread::get_id()];
  }

  void print(int steps, double seconds) const {
    std::map<std::string, Times> sums;
    for (const auto& [thread, recorder] : recorders_) {
      for (const auto& [layer, times] : recorder.times()) {
        sums[layer].forward += times.forward;
        sums[layer].backward += times.backward;
      }
    }
    const double scale = 1e3 / steps, all = seconds * static_cast<double>(recorders_.size());
    double rest = all;
    fmt::print("{:<32}{:>12}{:>12}{:>9}\n", "layer", "forward ms", "backward ms", "share");
    const auto line = [&](const std::string& name, const Times& times) {
      rest -= times.forward + times.backward;
      fmt::print("{:<32}{:>12.2f}{:>12.2f}{:>8.1f}%\n", name, scale * times.forward, scale * times.backward,
                 100 * (times.forward + times.backward) / all);
    };
    for (const std::string& layer : recorders_.begin()->second.order()) line(layer, sums.at(layer));
    if (const auto found = sums.find(""); found != sums.end())
      line("losses, adding gradients", found->second);
    fmt::print("{:<32}{:>12.2f}{:>12}{:>8.1f}%\n", "elsewhere, waiting", scale * rest, "", 100 * rest / all);
    fmt::print("{:<32}{:>12.2f}{:>12}\n", fmt::format("all {} threads", recorders_.size()), scale * all, "");
  }

 private:
  std::mutex mutex_;
  std::map<std::thread::id, Recorder> recorders_;
};

Recorders* recorders = nullptr;

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& function) {
  recorders->of_this_thread().enter(function);
  return nullptr;
}
void leave(const at::RecordFunction& function, at::ObserverContext*) {
  recorders->of_this_thread().leave(function);
}

}  // namespace

void print_profile(int steps, const std::function<void()>& run) {
  Recorders own;
  recorders = &own;
  const auto handle = at::addThreadLocalCallback(  // LibTorch hands it to the threads that it starts work on
      at::RecordFunctionCallback(&enter, &leave)
          .scopes({at::RecordScope::USER_SCOPE, at::RecordScope::BACKWARD_FUNCTION}));
  const auto start = Clock::now();
  run();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  at::removeCallback(handle);
  recorders = nullptr;
  own.print(steps, seconds);
}

}  // namespace whence::bench
