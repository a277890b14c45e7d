// When a run's stages (experiment/stages.h) are done, skipped, resumed, redone and refused.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/display.h"
#include "experiment/session.h"

namespace whence::experiment {

struct PipelineOptions {
  std::string_view first = "data";     ///< stages before it must be done
  std::string_view last = "report";    ///< stages after it are left
  bool force = false;                  ///< replaces a run of another recipe or of other images
  std::vector<std::string_view> redo;  ///< stages to do even if nothing changed
  /// A finished run that stages with the same inputs are copied from instead of being done again; empty: none.
  std::filesystem::path lender = {};
};

/// Locks the folder and does every stage up to `last` whose inputs changed since its stamp (one on demand only where it is
/// `last`; elsewhere its result is dropped when its inputs changed); a training that
/// was interrupted goes on. Writes recipe.toml, run.json, log.jsonl and metrics.json on the way. Errors:
/// those of FolderLock, check_format and the stages; a folder that another recipe, or other images, trained in (unless
/// `force`). What kinds left that are no longer asked for goes.
void run_stages(Session& session, const PipelineOptions& options, Display& display);

/// metrics.json: the metrics of all finished stages, those of a kind in an object with its name; with "stages" ({name: {"seconds"}}) and
/// "peak_memory_bytes". Keys that say neither seconds nor bytes are the same, bit for bit, for the same seed,
/// machine and threads.
nlohmann::json collect_metrics(const Kinds& kinds, const RunFolder& folder);

}  // namespace whence::experiment
