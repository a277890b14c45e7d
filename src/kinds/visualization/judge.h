// A second classifier of the same task, trained from another seed: whether it sees in a picture what the explained one does.
#pragma once

#include <memory>

#include "experiment/session.h"
#include "experiment/stages.h"

namespace whence::kinds {

/// Trains it as the recipe trains a classifier and writes judge.safetensors, unless options name a file or want none.
experiment::StageResult judge_stage(experiment::Session& session);
/// Null where options want none. Error: a file of other classes.
std::unique_ptr<models::Classifier> judge_of(experiment::Session& session);

}  // namespace whence::kinds
