// The kind "independent": a second classifier that is trained by itself. What it sees, the explained one did not make up.
#pragma once

#include <memory>

#include "experiment/kind.h"
#include "experiment/session.h"

namespace whence::kinds {

/// [independent]. Architecture: an index into models::classifier_architectures().
struct IndependentOptions {
  std::size_t architecture = 0;
  std::int64_t width = 0;   ///< 0: the architecture's own
  std::int64_t epochs = 0;  ///< 0: as many as the explained classifier's
};

/// The row of the table. Asked for where another kind has something to judge: morphs, translations, or a generator that keeps answers.
experiment::Kind independent_kind();
/// The trained one; null where the run has none.
std::unique_ptr<models::Classifier> independent_classifier(experiment::Session& session);

constexpr std::string_view kIndependentStage = "independent-classifier";

}  // namespace whence::kinds
