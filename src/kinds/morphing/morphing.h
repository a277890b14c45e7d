// The kind "morphing": what an image would be as another class, and whether the change is one of the class (Parafita 2018).
#pragma once

#include <string>
#include <vector>

#include "experiment/kind.h"
#include "experiment/recipe.h"
#include "whence/explain/counterfactual/morphing.h"

namespace whence::kinds {

struct MorphingOptions {
  std::int64_t images = 0;  ///< test images that are morphed; 0: none
  std::string target =
      "second";                  ///< "second" (most probable class), "every" (other class) or a class by name
  std::int64_t known = 10'000;   ///< training images whose codes are known
  std::int64_t components = 32;  ///< of the linear autoencoder of each class, for IM1 and IM2
  std::int64_t drawn = 8;        ///< test images whose morph is drawn
  counterfactual::MorphOptions search;
  std::int64_t draws = 32;  ///< of the posterior, for an image's code
  bool residual = false;    ///< morphs keep what the reconstruction lacks
};

/// The row of the table.
experiment::Kind morphing_kind();
/// Its part of a recipe. `whence morph` has the same keys as flags.
config::Section morphing_section();
}  // namespace whence::kinds
