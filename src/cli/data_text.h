// whence data check of texts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace whence::cli {

/// What a set of texts is like; `name` is "sst" or "texts".
void check_texts(const std::string& name, const std::filesystem::path& path,
                 const std::vector<std::string>& vectors, bool json);

}  // namespace whence::cli
