#include "step_profile.h"

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>

#include <chrono>
#include <map>

namespace whence::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// The layers announce themselves to LibTorch's profiler (RECORD_USER_SCOPE). Autograd numbers its nodes as they are
/// made, so that a node's number tells which layer's forward pass made it.
class Recorder {
 public:
  struct Times {
    double forward = 0, backward = 0;
  };

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

  void print(int steps, double seconds) const {
    const double scale = 1e3 / steps;
    double rest = seconds;
    fmt::print("{:<32}{:>12}{:>12}{:>9}\n", "layer", "forward ms", "backward ms", "share");
    const auto line = [&](const std::string& name, const Times& times) {
      rest -= times.forward + times.backward;
      fmt::print("{:<32}{:>12.2f}{:>12.2f}{:>8.1f}%\n", name, scale * times.forward, scale * times.backward,
                 100 * (times.forward + times.backward) / seconds);
    };
    for (const std::string& layer : order_) line(layer, times_.at(layer));
    if (const auto found = times_.find(""); found != times_.end())
      line("losses, adding gradients", found->second);
    fmt::print("{:<32}{:>12.2f}{:>12}{:>8.1f}%\n", "elsewhere", scale * rest, "", 100 * rest / seconds);
  }

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

Recorder* recorder = nullptr;

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& function) {
  recorder->enter(function);
  return nullptr;
}
void leave(const at::RecordFunction& function, at::ObserverContext*) { recorder->leave(function); }

}  // namespace

void print_profile(int steps, const std::function<void()>& run) {
  Recorder own;
  recorder = &own;
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(&enter, &leave)
          .scopes({at::RecordScope::USER_SCOPE, at::RecordScope::BACKWARD_FUNCTION}));
  const auto start = Clock::now();
  run();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  at::removeCallback(handle);
  recorder = nullptr;
  own.print(steps, seconds);
}

}  // namespace whence::bench
