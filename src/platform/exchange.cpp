#include "whence/platform/exchange.h"

#include <omp.h>

#include <array>
#include <atomic>
#include <exception>
#include <mutex>

#include "whence/core/error.h"
#include "whence/platform/parts.h"

namespace whence {
namespace {

/// Leaves a part whose neighbour has failed; never seen outside of run_parts.
struct NeighbourFailed {};

/// Waits this often before it asks the system to sleep: parts of equal size arrive within microseconds.
constexpr int kGlances = 4000;

void glance() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

struct Exchange::State {
  explicit State(std::int64_t parts) : count(parts) {
    for (auto& slot : slots) slot.resize(static_cast<std::size_t>(parts));
  }

  /// Odd and even meetings have slots of their own: who comes to one has read all of the last, but perhaps not of this one.
  std::vector<at::Tensor> meet(std::int64_t part, const at::Tensor& own) {
    const std::uint32_t before = meetings.load();
    if (failed.load()) throw NeighbourFailed{};
    std::vector<at::Tensor>& own_slots = slots.at(before % 2);
    own_slots[static_cast<std::size_t>(part)] = own;
    if (arrived.fetch_add(1) + 1 == count) {
      arrived = 0;
      meetings.fetch_add(1);
      meetings.notify_all();
    } else {
      wait_for_others(before);
    }
    if (failed.load()) throw NeighbourFailed{};
    return own_slots;
  }

  void wait_for_others(std::uint32_t before) {
    for (int i = 0; i < kGlances; ++i) {
      if (meetings.load() != before) return;
      glance();
    }
    while (meetings.load() == before) meetings.wait(before);
  }

  /// Keeps the first error; wakes whoever waits.
  void fail_with(std::exception_ptr error) {
    {
      const std::lock_guard<std::mutex> guard(lock);
      if (!first_error) first_error = std::move(error);
    }
    failed = true;
    meetings.fetch_add(1);
    meetings.notify_all();
  }

  void begin() {
    failed = false;
    first_error = nullptr;
    arrived = 0;
  }

  const std::int64_t count;
  std::array<std::vector<at::Tensor>, 2> slots;
  std::atomic<std::uint32_t> meetings{0};
  std::atomic<std::int64_t> arrived{0};
  std::atomic<bool> failed{false};
  std::mutex lock;
  std::exception_ptr first_error;
};

Exchange::Exchange(std::int64_t parts) : state_(std::make_unique<State>(parts)) {}
Exchange::~Exchange() = default;

std::int64_t Exchange::parts() const { return state_->count; }

std::vector<at::Tensor> Exchange::all(std::int64_t part, const at::Tensor& own) {
  if (state_->count == 1) return {own};
  return state_->meet(part, own);
}

void run_parts(Exchange& exchange, const std::function<void(std::int64_t part)>& body) {
  Exchange::State& state = *exchange.state_;
  if (state.count == 1) return body(0);
  state.begin();
  run_parts(state.count, [&](std::int64_t part) {
    try {
      if (omp_get_num_threads() < state.count)
        fail(
            "OpenMP gives {} of the {} threads that a step needs at once; raise OMP_THREAD_LIMIT, or ask for "
            "fewer threads",
            omp_get_num_threads(), state.count);
      body(part);
    } catch (const NeighbourFailed&) {
    } catch (...) {
      state.fail_with(std::current_exception());
    }
  });
  if (state.first_error) std::rethrow_exception(state.first_error);
}

}  // namespace whence
