// Files that are either whole or not there.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace whence {

/// The whole file. Errors: missing, a folder, unreadable.
std::string read_file(const std::filesystem::path& path);

/// Writes aside and renames, so that a reader sees the old file or the new one, never a part. Creates the folder.
/// Errors (disk full, read-only) leave the old file as it was.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// As write_file, for writers that need a path: `write` gets a temporary path with the same extension in the same
/// folder, which is renamed to `path` when it returns and removed when it throws. Errors name `path`, whatever the
/// writer said of the temporary; an exception that is no Error becomes one.
void write_file_with(const std::filesystem::path& path,
                     const std::function<void(const std::filesystem::path& temporary)>& write);

/// Errors name the file, the line and the column of what is not JSON.
nlohmann::json read_json(const std::filesystem::path& path);
/// Indented by 2, with a newline at the end. Not-a-number is written as null.
void write_json(const std::filesystem::path& path, const nlohmann::json& value);

}  // namespace whence
