// Digests that say whether bytes are the ones they should be.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace whence::data {

enum class Digest { sha256, md5 };

/// A digest of bytes that come in pieces.
class Digester {
 public:
  explicit Digester(Digest kind);
  void add(std::string_view bytes);
  /// In hexadecimal, small letters. Ends the digest.
  std::string hex();

 private:
  struct End {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, End> context_;
};

std::string digest_of(std::string_view bytes, Digest kind = Digest::sha256);

}  // namespace whence::data
