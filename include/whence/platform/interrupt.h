// Ctrl-C that leaves everything whole.
#pragma once

namespace whence {

/// From now on SIGINT and SIGTERM set a flag instead of ending the process; a second one ends it at once.
void install_interrupt_handler();

bool interrupted();

/// Throws an Error with ExitCode::interrupted when a signal came. Long loops call it every step.
void throw_if_interrupted();

}  // namespace whence
