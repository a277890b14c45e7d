// The wire format of protocol buffers, as far as reading needs it ("Protocol Buffers: Encoding", protobuf.dev).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace whence::interchange {

/// Bytes that are no message: what() ends the sentence "the file is damaged: ...".
class DamagedMessage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One field of a message: its number and either a number or bytes (text, an inner message, packed numbers).
class ProtoField {
 public:
  std::uint32_t number() const { return number_; }
  /// Errors (DamagedMessage), here and below: the field is of another kind.
  std::int64_t integer() const;
  float real() const;
  std::string_view bytes() const;
  std::string text() const { return std::string(bytes()); }
  /// Repeated numbers, one to a field or packed.
  void append_integers(std::vector<std::int64_t>& list) const;
  void append_floats(std::vector<float>& list) const;
  void append_doubles(std::vector<double>& list) const;

 private:
  friend class ProtoReader;
  enum class Kind : std::uint8_t { varint = 0, eight = 1, bytes = 2, four = 5 };
  std::uint32_t number_ = 0;
  Kind kind_ = Kind::varint;
  std::uint64_t value_ = 0;
  std::string_view bytes_;
};

/// The fields of a message in their order. Never reads past its bytes, and never asks for memory.
class ProtoReader {
 public:
  /// `depth`: how many messages it lies in. Error (DamagedMessage): too many.
  explicit ProtoReader(std::string_view message, int depth = 0);

  /// false at the end. Error (DamagedMessage): truncated, an overlong number, a field of no known kind.
  bool next(ProtoField& field);
  int depth() const { return depth_; }

 private:
  std::string_view rest_;
  int depth_;
};

}  // namespace whence::interchange
