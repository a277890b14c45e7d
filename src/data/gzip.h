// Bytes out of a file that may be gzip-compressed, and into one.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace whence::data {

/// Hands out the content of `bytes`: inflated if they are gzip (RFC 1952, any number of members), as they are
/// if not.
class ByteSource {
 public:
  /// `name` is what errors call the file; `bytes` must outlive this.
  ByteSource(std::string_view bytes, std::string name);
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ~ByteSource();

  /// Fills `to`; returns less than `size` only at the end. Errors: damaged or cut off gzip.
  std::size_t read(void* to, std::size_t size);

  /// No more than this can come out in all.
  std::size_t most() const;

 private:
  std::size_t inflate_into(unsigned char* to, std::size_t size);

  std::string_view rest_;
  std::string name_;
  std::size_t size_;
  bool compressed_;
  bool between_members_ = false;
  z_stream stream_{};
};

/// One gzip member without a time stamp: the same bytes give the same file.
std::string gzip(std::string_view bytes);

}  // namespace whence::data
