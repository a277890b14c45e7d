// Ctrl-C in the middle of measurements that report no progress.
#pragma once

#include <memory>

#include "whence/models/roles.h"

namespace whence::run {

/// The same classifier, which stops when an interrupt came (throw_if_interrupted) before each batch that it is asked
/// about. Not for training: its loop stops between steps, where a checkpoint is whole.
std::unique_ptr<models::Classifier> interruptible(std::unique_ptr<models::Classifier> classifier);

}  // namespace whence::run
