// Reading zip files: what torch.export.save and torch.save write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace whence::interchange {

/// The entries of a zip file, read when they are asked for. Stored and deflated entries are known, checked by their
/// length and CRC-32; the file may come from strangers.
class ZipArchive {
 public:
  /// Error: cannot be read; is no zip file, or a damaged one.
  explicit ZipArchive(const std::filesystem::path& path);
  /// A zip file that lies in another. `path`: for errors.
  ZipArchive(std::filesystem::path path, std::string bytes);

  const std::filesystem::path& path() const { return path_; }
  bool has(std::string_view name) const { return entries_.contains(std::string(name)); }
  /// Entries whose name begins and ends so, in the order of their names.
  std::vector<std::string> find(std::string_view begin, std::string_view end) const;
  /// Bytes of an entry when it is unpacked, as the directory has it; 0 where there is no such entry.
  std::uint64_t size(std::string_view name) const;
  /// Error: no such entry; damaged; compressed in another way, or encrypted.
  std::string read(std::string_view name) const;

 private:
  struct Entry {
    std::uint64_t offset = 0, packed = 0, size = 0;
    std::uint32_t crc = 0;
    std::uint16_t method = 0, flags = 0;
  };
  void read_directory();
  std::string piece(std::uint64_t offset, std::uint64_t count) const;
  [[noreturn]] void damaged(std::string_view what) const;

  std::filesystem::path path_;
  std::string bytes_;  ///< of a file in another
  bool inner_ = false;
  std::uint64_t length_ = 0;
  std::map<std::string, Entry> entries_;
};

/// Whether the file begins like a zip file. false where it cannot be read.
bool is_zip(const std::filesystem::path& path);

}  // namespace whence::interchange
