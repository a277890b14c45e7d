// The part of a report that swaps modules between two images in the browser.
#pragma once

#include "experiment/kind.h"
#include "experiment/session.h"
#include "whence/explain/modularity/modules.h"

namespace whence::kinds {

/// Writes what web/swap.js needs beside the networks of live.json: layer, modules, and a hybrid to check the page against. Returns the file's
/// name; nothing where the page has no decoder.
std::optional<std::string> write_swaps(const experiment::RunFolder& folder, const models::Decoder& decoder,
                                       const std::string& layer, const modularity::Modules& modules);

/// Adds it to the section of the modules, where the run has it.
void add_swaps(const experiment::Run& run, report::Section& section);

}  // namespace whence::kinds
