// A study of morphs as rows, and back: blocks of images are computed apart and put together.
#pragma once

#include "experiment/results.h"
#include "kinds/morphing/study.h"

namespace whence::kinds {

/// `first`: of the block's images, which MorphStudy::rows count from.
experiment::Results results_of(const MorphStudy& study, std::int64_t first);
/// Of a block whose images are all of the asked class already.
experiment::Results left_out_results(std::int64_t images);
/// Error (usage): all images are of the asked class already.
MorphStudy study_of(const experiment::Results& results);

}  // namespace whence::kinds
