// The wire format against bytes written by hand from its description.
#include "interchange/protobuf.h"

#include <gtest/gtest.h>

namespace whence::interchange {
namespace {

std::vector<ProtoField> fields_of(std::string_view bytes) {
  ProtoReader reader(bytes);
  std::vector<ProtoField> fields;
  ProtoField field;
  while (reader.next(field)) fields.push_back(field);
  return fields;
}

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

TEST(Protobuf, ReadsNumbersAndText) {
  const std::string message = bytes_of({0x08, 0x96, 0x01, 0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g'});
  const auto fields = fields_of(message);
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].number(), 1u);
  EXPECT_EQ(fields[0].integer(), 150);
  EXPECT_EQ(fields[1].text(), "testing");
  EXPECT_THROW(fields[0].bytes(), DamagedMessage);
  EXPECT_THROW(fields[1].integer(), DamagedMessage);
}

TEST(Protobuf, ReadsNegativeAndFixedNumbers) {
  const std::string message =
      bytes_of({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x15, 0, 0, 0x80, 0xbf});
  const auto fields = fields_of(message);
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].integer(), -1);
  EXPECT_EQ(fields[1].real(), -1.0F);
}

TEST(Protobuf, ReadsListsPackedOrNot) {
  std::vector<std::int64_t> numbers;
  const std::string message = bytes_of({0x22, 0x03, 0x03, 0x8e, 0x02, 0x20, 0x05});
  for (const ProtoField& field : fields_of(message)) field.append_integers(numbers);
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{3, 270, 5}));
}

TEST(Protobuf, RefusesDamagedMessages) {
  EXPECT_THROW(fields_of(bytes_of({0x08})), DamagedMessage) << "no value";
  EXPECT_THROW(fields_of(bytes_of({0x12, 0x05, 'a'})), DamagedMessage) << "cut off";
  EXPECT_THROW(fields_of(bytes_of({0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})),
               DamagedMessage)
      << "a length of 2^64 - 1";
  EXPECT_THROW(fields_of(bytes_of({0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02})),
               DamagedMessage)
      << "65 bits";
  EXPECT_THROW(fields_of(bytes_of({0x0b})), DamagedMessage) << "a group";
  EXPECT_THROW(fields_of(bytes_of({0x00, 0x00})), DamagedMessage) << "field 0";
  EXPECT_THROW(fields_of(bytes_of({0x15, 0, 0, 0})), DamagedMessage) << "three of four bytes";
  EXPECT_THROW(ProtoReader("", 65), DamagedMessage) << "too deep";
}

}  // namespace
}  // namespace whence::interchange
