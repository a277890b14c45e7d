#include "interchange/protobuf.h"

#include <bit>
#include <cstring>

namespace whence::interchange {
namespace {

constexpr int kDeepest = 64;
constexpr std::uint64_t kLargestField = (1u << 29) - 1;

[[noreturn]] void ends_early() { throw DamagedMessage("it ends in the middle of a field"); }

/// A number of 7 bits a byte, the lowest first.
std::uint64_t take_varint(std::string_view& rest) {
  constexpr int most_bytes = 10;
  std::uint64_t value = 0;
  for (int i = 0; i < most_bytes; ++i) {
    if (rest.empty()) ends_early();
    const auto byte = static_cast<std::uint8_t>(rest.front());
    rest.remove_prefix(1);
    if (i == most_bytes - 1 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value;
  }
  throw DamagedMessage("it holds a number of more than 64 bits");
}

std::uint64_t take_fixed(std::string_view& rest, std::size_t width) {
  if (rest.size() < width) ends_early();
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(rest[i]);
  rest.remove_prefix(width);
  return value;
}

[[noreturn]] void wrong_kind(std::uint32_t number) {
  throw DamagedMessage("its field " + std::to_string(number) + " is of another kind than ONNX says");
}

}  // namespace

std::int64_t ProtoField::integer() const {
  if (kind_ != Kind::varint) wrong_kind(number_);
  return static_cast<std::int64_t>(value_);
}

float ProtoField::real() const {
  if (kind_ != Kind::four) wrong_kind(number_);
  return std::bit_cast<float>(static_cast<std::uint32_t>(value_));
}

std::string_view ProtoField::bytes() const {
  if (kind_ != Kind::bytes) wrong_kind(number_);
  return bytes_;
}

void ProtoField::append_integers(std::vector<std::int64_t>& list) const {
  if (kind_ == Kind::varint) return list.push_back(integer());
  std::string_view rest = bytes();
  while (!rest.empty()) list.push_back(static_cast<std::int64_t>(take_varint(rest)));
}

void ProtoField::append_floats(std::vector<float>& list) const {
  if (kind_ == Kind::four) return list.push_back(real());
  std::string_view rest = bytes();
  list.reserve(list.size() + rest.size() / sizeof(float));
  while (!rest.empty())
    list.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(take_fixed(rest, sizeof(float)))));
}

void ProtoField::append_doubles(std::vector<double>& list) const {
  if (kind_ == Kind::eight) return list.push_back(std::bit_cast<double>(value_));
  std::string_view rest = bytes();
  list.reserve(list.size() + rest.size() / sizeof(double));
  while (!rest.empty()) list.push_back(std::bit_cast<double>(take_fixed(rest, sizeof(double))));
}

ProtoReader::ProtoReader(std::string_view message, int depth) : rest_(message), depth_(depth) {
  if (depth > kDeepest) throw DamagedMessage("its messages lie too deep in one another");
}

bool ProtoReader::next(ProtoField& field) {
  if (rest_.empty()) return false;
  const std::uint64_t tag = take_varint(rest_);
  if (tag >> 3 == 0 || tag >> 3 > kLargestField) throw DamagedMessage("it holds a field of no valid number");
  field = ProtoField();
  field.number_ = static_cast<std::uint32_t>(tag >> 3);
  field.kind_ = static_cast<ProtoField::Kind>(tag & 7);
  switch (field.kind_) {
    case ProtoField::Kind::varint:
      field.value_ = take_varint(rest_);
      return true;
    case ProtoField::Kind::eight:
      field.value_ = take_fixed(rest_, 8);
      return true;
    case ProtoField::Kind::four:
      field.value_ = take_fixed(rest_, 4);
      return true;
    case ProtoField::Kind::bytes: {
      const std::uint64_t size = take_varint(rest_);
      if (size > rest_.size()) ends_early();
      field.bytes_ = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
  }
  throw DamagedMessage("it holds a field of no known kind");
}

}  // namespace whence::interchange
