// Archives to folders.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace whence::data {

/// "x.tar.gz" or "x.zip".
bool is_archive(std::string_view file);

/// "x.gz" to the file "x" in `folder`, an archive to the files in it, without the folder that all of them lie in. Hidden
/// files, links and anything that is no file are passed over. Errors: damaged; a path that leads out of the folder.
void unpack(const std::filesystem::path& archive, const std::filesystem::path& folder);

/// The content of a file that may be gzip-compressed.
std::string read_content(const std::filesystem::path& path);

}  // namespace whence::data
