#include "whence/platform/interrupt.h"

#include <signal.h>

#include <atomic>

#include "whence/core/error.h"
#include "whence/platform/interrupt_check.h"

namespace whence {
namespace {

std::atomic<bool> signalled{false};
std::atomic<void (*)()> host_check{nullptr};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler must not wait");

void remember(int number) {
  if (signalled.exchange(true)) {
    ::signal(number, SIG_DFL);
    ::raise(number);
  }
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;  // files that are being read or written do not notice
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) sigaction(number, &action, nullptr);
}

bool interrupted() { return signalled.load(std::memory_order_relaxed); }

void throw_if_interrupted() {
  if (interrupted()) throw Error("interrupted", ExitCode::interrupted);
  if (void (*const check)() = host_check.load(std::memory_order_relaxed)) check();
}

void set_interrupt_check(void (*check)()) { host_check = check; }

}  // namespace whence
