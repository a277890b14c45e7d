#include "data/gzip.h"

#include <cstring>
#include <limits>

#include "whence/core/error.h"

namespace whence::data {
namespace {

constexpr int gzip_window = 15 + 16;         // zlib's way to say "gzip, largest window"
constexpr std::size_t most_per_byte = 1032;  // deflate's limit: 258 bytes from two bits

uInt clipped(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

unsigned char* input(std::string_view bytes) {  // zlib reads only, but its field is not const
  return reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
}

}  // namespace

ByteSource::ByteSource(std::string_view bytes, std::string name)
    : rest_(bytes), name_(std::move(name)), size_(bytes.size()), compressed_(bytes.starts_with("\x1f\x8b")) {
  if (compressed_) TORCH_CHECK(inflateInit2(&stream_, gzip_window) == Z_OK, "zlib does not start");
}

ByteSource::~ByteSource() {
  if (compressed_) inflateEnd(&stream_);
}

std::size_t ByteSource::most() const { return compressed_ ? size_ * most_per_byte : size_; }

std::size_t ByteSource::read(void* to, std::size_t size) {
  if (compressed_) return inflate_into(static_cast<unsigned char*>(to), size);
  const std::size_t count = std::min(size, rest_.size());
  if (count > 0) std::memcpy(to, rest_.data(), count);
  rest_.remove_prefix(count);
  return count;
}

std::size_t ByteSource::inflate_into(unsigned char* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    if (between_members_) {
      // Zeros fill the last block of a tape or disk (RFC 1952 knows none, but gzip passes over them).
      if (rest_.find_first_not_of('\0') == std::string_view::npos) return done;
      inflateReset(&stream_);
      between_members_ = false;
    }
    const uInt given = clipped(rest_.size()), room = clipped(size - done);
    stream_.next_in = input(rest_);
    stream_.avail_in = given;
    stream_.next_out = to + done;
    stream_.avail_out = room;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    rest_.remove_prefix(given - stream_.avail_in);
    done += room - stream_.avail_out;
    if (status == Z_STREAM_END) {
      between_members_ = true;
    } else if (status == Z_BUF_ERROR || (status == Z_OK && rest_.empty() && done < size)) {
      fail("{} is cut off: its gzip stream has no end; get the file again", name_);
    } else if (status != Z_OK) {
      fail("{} is damaged (gzip: {}); get the file again", name_,
           stream_.msg != nullptr ? stream_.msg : "invalid stream");
    }
  }
  return done;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  TORCH_CHECK(
      deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK,
      "zlib does not start");
  std::string packed;
  std::string chunk(1 << 16, '\0');
  for (int status = Z_OK; status != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      stream.next_in = input(bytes);
      stream.avail_in = clipped(bytes.size());
      bytes.remove_prefix(stream.avail_in);
    }
    stream.next_out = reinterpret_cast<unsigned char*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    packed.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return packed;
}

}  // namespace whence::data
