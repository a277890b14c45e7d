// Run folders that several processes fill together, on one machine or on many with a common file system.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "experiment/display.h"
#include "whence/platform/claim.h"

namespace whence::experiment {

/// The claim of a run folder, a file in it.
std::filesystem::path claim_of(const std::filesystem::path& folder);

/// Waits a second. Says once for which process's claim it waits (`told` remembers). Error: an interrupt.
void wait_for_claim(const std::filesystem::path& folder, std::filesystem::path& told, Display& display);

/// Calls `work(i)` for i of 0 .. count - 1, in any order, each while this process has the claim of `folder(i)`. Every process works on
/// all of them: what another one finished before is found to be done, so `work` must be quick then. Waits for those that others work on.
void share_work(std::int64_t count, const std::function<std::filesystem::path(std::int64_t)>& folder,
                const std::function<void(std::int64_t)>& work, Display& display);

}  // namespace whence::experiment
