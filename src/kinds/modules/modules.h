// The kind "modules": what the parts of a generator do, and which part moves the classifier.
#pragma once

#include <string>

#include "experiment/kind.h"
#include "whence/explain/modularity/effect.h"
#include "whence/explain/modularity/measures.h"
#include "whence/platform/precision.h"

namespace whence::kinds {

/// Codes of originals come from encoded images, where there is an encoder, or from N(0, I).
enum class OriginalSource { images, prior };

struct ModulesOptions {
  std::string layer;            ///< empty: the first convolution
  std::int64_t pairs = 0;       ///< of originals, whose hybrids give the maps; 0: no modules
  double map_error = 0;         ///< relative error of the maps that more pairs are drawn for; 0: any
  std::int64_t rank = 0;        ///< number of modules; 0: chosen by stability
  std::int64_t largest = 8;     ///< rank that is tried
  std::int64_t divisions = 5;   ///< into halves
  std::int64_t measured = 256;  ///< pairs that measures are taken on
  std::int64_t drawn = 6;       ///< pairs that are drawn
  bool untrained = true;        ///< the control with new weights
  bool of_channels = true;      ///< the flow of each channel is measured, too
  std::int64_t memory_bytes = 256 << 20;  ///< budget of a batch of hybrids
  OriginalSource source = OriginalSource::images;
  Precision precision = Precision::float32;  ///< of the hybrids that give influence maps; all else is float32
  modularity::InfluenceOptions influence;
  modularity::GroupingOptions grouping;
  modularity::MeasureOptions measures;
  modularity::EffectOptions effect;
};

/// The row of the table.
experiment::Kind modules_kind();

/// Of runs with several seeds: how far their templates agree.
void report_modules_seeds(const experiment::SeedSpread& spread, report::Page& page);

/// Its part of a recipe. `whence modules` has the same keys as flags.
config::Section modules_section();

}  // namespace whence::kinds
