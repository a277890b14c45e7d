// What LibTorch's reader of pickles does not check, checked before it reads.
#pragma once

#include <filesystem>

namespace whence::interchange {

/// Walks through the pickles of a TorchScript archive without making any object, and refuses what would let LibTorch
/// read or reserve memory beyond the file: a place in the memo that no instruction made, a storage longer than its
/// entry, a dict with a key and no value, objects nested without end. What LibTorch itself refuses is left to it.
/// Error: damaged.
void check_script_pickles(const std::filesystem::path& path);

}  // namespace whence::interchange
