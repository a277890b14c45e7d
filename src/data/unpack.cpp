#include "data/unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "data/gzip.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

constexpr std::size_t piece_size = 1 << 20;

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeArchive>;

Reader open_archive(const fs::path& path) {
  Reader reader(archive_read_new());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_zip(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), piece_size) != ARCHIVE_OK) {
    fail("{} is damaged: {}; get it again", path.string(), archive_error_string(reader.get()));
  }
  return reader;
}

/// Where an entry goes: its path without the first folder; empty when it is to be passed over.
fs::path target_of(archive_entry* entry, const fs::path& archive_path) {
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG ||
      archive_entry_hardlink(entry) != nullptr) {
    return {};
  }
  const fs::path path = fs::path(name).lexically_normal();
  if (path.is_absolute() || *path.begin() == "..") {
    fail("{} is not to be trusted: it holds the path {}", archive_path.string(), name);
  }
  fs::path target;
  for (auto part = std::next(path.begin()); part != path.end(); ++part) target /= *part;
  return target.filename().string().starts_with('.') ? fs::path() : target;
}

void write_entry(archive* reader, const fs::path& to, const fs::path& archive_path) {
  fs::create_directories(to.parent_path());
  std::ofstream file(to, std::ios::binary | std::ios::trunc);
  std::string piece(piece_size, '\0');
  la_ssize_t size = 0;
  while ((size = archive_read_data(reader, piece.data(), piece.size())) > 0) file.write(piece.data(), size);
  if (size < 0) fail("{} is damaged: {}; get it again", archive_path.string(), archive_error_string(reader));
  file.close();
  if (!file) fail("{} cannot be written; is the disk full?", to.string());
}

void unpack_archive(const fs::path& path, const fs::path& folder) {
  const Reader reader = open_archive(path);
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
    const fs::path target = target_of(entry, path);
    if (!target.empty()) write_entry(reader.get(), folder / target, path);
  }
  if (status != ARCHIVE_EOF) {
    fail("{} is damaged: {}; get it again", path.string(), archive_error_string(reader.get()));
  }
}

}  // namespace

std::string read_content(const fs::path& path) {
  const std::string bytes = read_file(path);
  ByteSource source(bytes, path.string());
  std::string content, piece(piece_size, '\0');
  while (const std::size_t size = source.read(piece.data(), piece.size())) content.append(piece, 0, size);
  return content;
}

bool is_archive(std::string_view file) { return file.ends_with(".tar.gz") || file.ends_with(".zip"); }

void unpack(const fs::path& archive, const fs::path& folder) {
  fs::create_directories(folder);
  if (is_archive(archive.filename().string())) return unpack_archive(archive, folder);
  write_file(folder / archive.stem(), read_content(archive));
}

}  // namespace whence::data
