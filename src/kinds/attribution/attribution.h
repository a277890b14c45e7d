// The kind "attribution": which pixels speak for the classifier's answer, by every method that a recipe names, and how far the maps
// can be believed.
#pragma once

#include <string>
#include <vector>

#include "experiment/kind.h"
#include "whence/explain/attribution/measures.h"
#include "whence/explain/attribution/method.h"

namespace whence::kinds {

struct AttributionOptions {
  std::vector<std::string> methods;  ///< names of attribution::methods(); empty: none
  std::int64_t images = 200;         ///< test images that are explained
  std::int64_t references = 64;      ///< training images that baselines are drawn from
  std::int64_t drawn = 9;            ///< test images whose maps are drawn
  attribution::Options options;
  attribution::PerturbationOptions perturbation;
};

/// The row of the table.
experiment::Kind attribution_kind();

/// Its part of a recipe: one key for each option of each method. `whence attribute` has the same ones as flags.
config::Section attribution_section();
/// [attribution], with the morphs of path methods as [morphing] makes them.
AttributionOptions attribution_options(const config::Values& values);

}  // namespace whence::kinds
