#include "interchange/zip_archive.h"

#include <zlib.h>

#include <fstream>

#include "whence/core/error.h"

namespace whence::interchange {
namespace {

// Layout: APPNOTE.TXT, "ZIP file format specification", sections 4.3 and 4.5.3 (zip64).
constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
constexpr std::size_t kLongestComment = 0xffff;
constexpr std::uint16_t kZip64Field = 1, kStored = 0, kDeflated = 8, kEncrypted = 1;
/// Deflate cannot do better than this; what promises more is a trap.
constexpr std::uint64_t kBestRatio = 1100;

/// Little-endian numbers of a piece of the file.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  bool has(std::size_t at, std::size_t count) const {
    return at <= bytes_.size() && count <= bytes_.size() - at;
  }
  std::uint64_t number(std::size_t at, std::size_t width) const {
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes_[at + i]);
    return value;
  }
  std::uint16_t two(std::size_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
  std::uint32_t four(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
  std::uint64_t eight(std::size_t at) const { return number(at, 8); }

 private:
  std::string_view bytes_;
};

std::string read_piece(const std::filesystem::path& path, std::uint64_t offset, std::uint64_t count) {
  std::ifstream file(path, std::ios::binary);
  std::string piece(count, '\0');
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(piece.data(), static_cast<std::streamsize>(count));
  piece.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return piece;
}

/// Empty where it is no deflated piece of that size.
std::string inflated(const std::string& packed, std::uint64_t size) {
  std::string whole(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.next_out = reinterpret_cast<Bytef*>(whole.data());
  std::size_t taken = 0, made = 0;
  int state = Z_OK;
  constexpr std::size_t most = 1u << 30;
  while (state == Z_OK && made < whole.size()) {  // zlib counts in 32 bits
    const std::size_t in = std::min(most, packed.size() - taken), out = std::min(most, whole.size() - made);
    stream.avail_in = static_cast<uInt>(in);
    stream.avail_out = static_cast<uInt>(out);
    state = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += out - stream.avail_out;
    if (stream.avail_in == in && stream.avail_out == out) break;
  }
  inflateEnd(&stream);
  return made == size ? whole : std::string();
}

std::uint32_t crc_of(const std::string& bytes) {
  uLong crc = crc32(0, nullptr, 0);
  constexpr std::size_t most = 1u << 30;
  for (std::size_t at = 0; at < bytes.size(); at += most)
    crc = crc32(crc, reinterpret_cast<const Bytef*>(bytes.data() + at),
                static_cast<uInt>(std::min(most, bytes.size() - at)));
  return static_cast<std::uint32_t>(crc);
}

}  // namespace

bool is_zip(const std::filesystem::path& path) {
  const std::string begin = read_piece(path, 0, 4);
  return begin.size() == 4 && Bytes(begin).four(0) == kLocal;
}

ZipArchive::ZipArchive(const std::filesystem::path& path) : path_(path) {
  std::error_code error;
  length_ = std::filesystem::file_size(path, error);
  if (error) fail("{} cannot be read: {}", path.string(), error.message());
  read_directory();
}

ZipArchive::ZipArchive(std::filesystem::path path, std::string bytes)
    : path_(std::move(path)), bytes_(std::move(bytes)), inner_(true), length_(bytes_.size()) {
  read_directory();
}

std::string ZipArchive::piece(std::uint64_t offset, std::uint64_t count) const {
  if (inner_) return offset > bytes_.size() ? std::string() : bytes_.substr(offset, count);
  return read_piece(path_, offset, offset > length_ ? 0 : std::min(count, length_ - offset));
}

void ZipArchive::damaged(std::string_view what) const {
  fail("{} is a damaged zip file: {}; get it again, or export the model again", path_.string(), what);
}

void ZipArchive::read_directory() {
  const std::uint64_t tail_size = std::min<std::uint64_t>(length_, kLongestComment + kEndSize + kLocatorSize);
  const std::uint64_t tail_at = length_ - tail_size;
  const std::string tail = piece(tail_at, tail_size);
  const Bytes end(tail);
  std::size_t at = tail.size();
  while (at >= kEndSize && !(end.has(at - kEndSize, kEndSize) && end.four(at - kEndSize) == kEnd)) --at;
  if (at < kEndSize) damaged("it has no directory");
  at -= kEndSize;
  std::uint64_t count = end.two(at + 10), size = end.four(at + 12), offset = end.four(at + 16);
  if (at >= kLocatorSize && end.four(at - kLocatorSize) == kLocator64) {
    const std::string large = piece(end.eight(at - kLocatorSize + 8), kEnd64Size);
    const Bytes end64(large);
    if (!end64.has(0, kEnd64Size) || end64.four(0) != kEnd64) damaged("its large directory is not there");
    count = end64.eight(32);
    size = end64.eight(40);
    offset = end64.eight(48);
  }
  if (offset > length_ || size > length_ - offset) damaged("its directory lies outside of it");
  const std::string text = piece(offset, size);
  const Bytes directory(text);
  std::size_t next = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!directory.has(next, kCentralSize) || directory.four(next) != kCentral)
      damaged("its directory ends early");
    const std::size_t name = directory.two(next + 28), extra = directory.two(next + 30),
                      comment = directory.two(next + 32);
    if (!directory.has(next + kCentralSize, name + extra + comment)) damaged("its directory ends early");
    Entry entry{directory.four(next + 42), directory.four(next + 20), directory.four(next + 24),
                directory.four(next + 16), directory.two(next + 10),  directory.two(next + 8)};
    std::size_t field = next + kCentralSize + name;
    const std::size_t fields_end = field + extra;
    while (field + 4 <=
           fields_end) {  // large numbers stand in an extra field, in this order, where they are needed
      const std::size_t width = directory.two(field + 2);
      std::size_t value = field + 4;
      const std::size_t stop = std::min(value + width, fields_end);
      if (directory.two(field) == kZip64Field) {
        for (std::uint64_t* number : {&entry.size, &entry.packed, &entry.offset}) {
          if (*number != 0xffffffff || value + 8 > stop) continue;
          *number = directory.eight(value);
          value += 8;
        }
      }
      field += 4 + width;
    }
    entries_[text.substr(next + kCentralSize, name)] = entry;
    next += kCentralSize + name + extra + comment;
  }
}

std::vector<std::string> ZipArchive::find(std::string_view begin, std::string_view end) const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_)
    if (name.starts_with(begin) && name.ends_with(end) && name.size() >= begin.size() + end.size())
      names.push_back(name);
  return names;
}

std::uint64_t ZipArchive::size(std::string_view name) const {
  const auto found = entries_.find(std::string(name));
  return found == entries_.end() ? 0 : found->second.size;
}

std::string ZipArchive::read(std::string_view name) const {
  const auto found = entries_.find(std::string(name));
  if (found == entries_.end()) fail("{} has no entry {}; export the model again", path_.string(), name);
  const Entry& entry = found->second;
  if ((entry.flags & kEncrypted) != 0) fail("{} is encrypted; give it without a password", path_.string());
  if (entry.method != kStored && entry.method != kDeflated)
    fail(
        "{} is compressed by method {} of zip, which whence does not know; pack it with 'deflate' or not at "
        "all",
        path_.string(), entry.method);
  const std::string local = piece(entry.offset, kLocalSize);
  const Bytes header(local);
  if (!header.has(0, kLocalSize) || header.four(0) != kLocal) damaged(fmt::format("{} is not there", name));
  const std::uint64_t at = entry.offset + kLocalSize + header.two(26) + header.two(28);
  if (at > length_ || entry.packed > length_ - at) damaged(fmt::format("{} is cut off", name));
  if (entry.method == kStored ? entry.size != entry.packed : entry.size / kBestRatio > entry.packed)
    damaged(fmt::format("{} has a wrong size", name));
  std::string bytes = piece(at, entry.packed);
  if (entry.method == kDeflated) bytes = inflated(bytes, entry.size);
  if (bytes.size() != entry.size || crc_of(bytes) != entry.crc)
    damaged(fmt::format("the checksum of {} is wrong", name));
  return bytes;
}

}  // namespace whence::interchange
