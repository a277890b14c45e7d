// Interruptions inside a host program, such as Python, that keeps signals to itself.
#pragma once

namespace whence {

/// From now on throw_if_interrupted() also calls `check`, which throws where the host wants the work to stop. It is called often and
/// from any thread that works. nullptr: nothing is called.
void set_interrupt_check(void (*check)());

}  // namespace whence
