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
  std::int64_t entropy_pairs = 100;     ///< of the study of entropy and gradients; 0: none
  counterfactual::MorphOptions search;  ///< how all morphs are made, those of path methods as well
};

/// The row of the table.
experiment::Kind morphing_kind();
/// Its part of a recipe. `whence morph` has the same keys as flags.
config::Section morphing_section();
/// Those of them that say how a morph is made, which path methods need as well, each name behind `prefix`: "morph_" for the flags of
/// `whence attribute`, "morphing." for the full names.
std::vector<config::Key> morph_keys(const std::string& prefix);
}  // namespace whence::kinds
