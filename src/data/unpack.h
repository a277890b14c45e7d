// Archives to folders.
#pragma once

#include <filesystem>
#include <string>

namespace whence::data {

/// "x.gz" to the file "x" in `folder`, "x.tar.gz" to the files in it, without the folder that all of them lie in. Hidden
/// files, links and anything that is no file are passed over. Errors: damaged; a path that leads out of the folder.
void unpack(const std::filesystem::path& archive, const std::filesystem::path& folder);

/// The content of a file that may be gzip-compressed.
std::string read_content(const std::filesystem::path& path);

}  // namespace whence::data
