#include "whence/data/idx.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "support/errors.h"
#include "support/files.h"
#include "unit/data/support.h"
#include "whence/platform/machine.h"

namespace whence::data {
namespace {

using whence::test::content;
using whence::test::expect_error;
using whence::test::put;
using whence::test::TemporaryFolder;

/// LeCun's definition by hand: 2 x 3 bytes.
const std::string two_by_three("\0\0\x08\x02\0\0\0\x02\0\0\0\x03\x01\x02\x03\xfd\xfe\xff", 18);

std::string packed_by_zlib(const TemporaryFolder& folder, const std::string& bytes) {
  const std::string path = folder / "by-zlib";
  gzFile file = gzopen(path.c_str(), "wb9");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return content(path);
}

std::string unpacked_by_zlib(const std::filesystem::path& path) {
  std::string bytes(1 << 20, '\0');
  gzFile file = gzopen(path.c_str(), "rb");
  bytes.resize(static_cast<std::size_t>(gzread(file, bytes.data(), static_cast<unsigned>(bytes.size()))));
  gzclose(file);
  return bytes;
}

TEST(ReadIdx, ReadsTheFormatByHand) {
  const TemporaryFolder folder;
  const at::Tensor expected = at::tensor({1, 2, 3, 253, 254, 255}, at::kByte).reshape({2, 3});
  put(folder / "plain", two_by_three);
  EXPECT_TRUE(at::equal(read_idx(folder / "plain"), expected));
  put(folder / "packed", packed_by_zlib(folder, two_by_three));
  EXPECT_TRUE(at::equal(read_idx(folder / "packed"), expected))
      << "gzip is known by its content, not its name";
}

TEST(ReadIdx, ReadsGzipInSeveralMembers) {
  const TemporaryFolder folder;
  put(folder / "x.gz", packed_by_zlib(folder, two_by_three.substr(0, 7)) +
                           packed_by_zlib(folder, two_by_three.substr(7)) + packed_by_zlib(folder, ""));
  EXPECT_EQ(test::to_vector(read_idx(folder / "x.gz")), (std::vector<std::int64_t>{1, 2, 3, 253, 254, 255}));
}

TEST(ReadIdx, PassesOverZerosBehindGzip) {
  const TemporaryFolder folder;
  const std::string packed = packed_by_zlib(folder, two_by_three);
  put(folder / "x.gz", packed + std::string(500, '\0'));
  EXPECT_EQ(test::to_vector(read_idx(folder / "x.gz")), (std::vector<std::int64_t>{1, 2, 3, 253, 254, 255}));
  put(folder / "x.gz", packed + std::string(20, '\0') + "x");
  expect_error([&] { read_idx(folder / "x.gz"); }, {"/x.gz is damaged"});
}

TEST(WriteIdx, WritesTheFormatByHand) {
  const TemporaryFolder folder;
  const at::Tensor values = at::tensor({1, 2, 3, 253, 254, 255}, at::kByte).reshape({2, 3});
  write_idx(folder / "plain", values);
  EXPECT_EQ(content(folder / "plain"), two_by_three);
  write_idx(folder / "packed.gz", values.t().contiguous().t());
  EXPECT_EQ(content(folder / "packed.gz").substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(unpacked_by_zlib(folder / "packed.gz"), two_by_three);
}

TEST(WriteIdx, IsReadBack) {
  const TemporaryFolder folder;
  const std::vector<std::vector<std::int64_t>> shapes = {
      {1}, {70'000}, {5, 300}, {3, 28, 28}, {2, 3, 32, 32}};
  for (const auto& shape : shapes) {
    for (const char* name : {"x", "x.gz"}) {
      const at::Tensor values = test::random_bytes(shape);
      write_idx(folder / name, values);
      EXPECT_TRUE(at::equal(read_idx(folder / name), values)) << values.sizes() << ' ' << name;
    }
  }
}

TEST(WriteIdx, RefusesOtherTensors) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_idx(folder / "x", at::zeros({2, 2})), c10::Error);
  EXPECT_THROW(write_idx(folder / "x", at::zeros({1, 1, 1, 1, 1}, at::kByte)), c10::Error);
  EXPECT_THROW(write_idx(folder / "x", at::zeros({0, 2}, at::kByte)), c10::Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
}

TEST(ReadIdx, SaysWhatIsWrong) {
  struct Case {
    std::string bytes;
    std::vector<std::string> says;
  };
  const auto header = [](const char* bytes, std::size_t size) { return std::string(bytes, size); };
  const std::vector<Case> cases = {
      {"", {"ends within its IDX header"}},
      {header("\0\0\x08", 3), {"ends within its IDX header"}},
      {two_by_three.substr(0, 11), {"ends within its IDX header"}},
      {"\x89PNG\r\n", {"is not an IDX file", "89 50 4e 47"}},
      {header("\0\0\x07\x01\0\0\0\x01x", 9), {"is not an IDX file"}},
      {header("\0\0\x0d\x01\0\0\0\x01xxxx", 12), {"holds 32-bit floats, not unsigned bytes"}},
      {header("\0\0\x08\0", 4), {"has 0 dimensions"}},
      {header("\0\0\x08\x05\0\0\0\x01", 8), {"has 5 dimensions"}},
      {header("\0\0\x08\x02\0\0\0\0\0\0\0\x05", 12), {"a dimension of size 0"}},
      {two_by_three.substr(0, 17), {"cut off", "5 of 2 x 3"}},
      {two_by_three + "x", {"continues after its 2 x 3 values"}},
  };
  const TemporaryFolder folder;
  for (auto [bytes, says] : cases) {
    put(folder / "images", bytes);
    says.emplace_back("/images");
    expect_error([&] { read_idx(folder / "images"); }, says);
    put(folder / "images", packed_by_zlib(folder, bytes));
    expect_error([&] { read_idx(folder / "images"); }, says);
  }
  expect_error([&] { read_idx(folder / "none"); }, {"cannot read", "/none"});
  expect_error([&] { read_idx(folder.path()); }, {"is a folder"});
}

TEST(ReadIdx, RefusesDamagedGzip) {
  const TemporaryFolder folder;
  const std::string packed = packed_by_zlib(folder, two_by_three);
  put(folder / "x.gz", packed.substr(0, packed.size() - 3));
  expect_error([&] { read_idx(folder / "x.gz"); }, {"/x.gz is cut off", "gzip"});
  std::string wrong_sum = packed;
  wrong_sum[packed.size() - 6] = static_cast<char>(wrong_sum[packed.size() - 6] ^ 1);
  put(folder / "x.gz", wrong_sum);
  expect_error([&] { read_idx(folder / "x.gz"); }, {"/x.gz is damaged", "check"});
  put(folder / "x.gz", packed + "surplus");
  expect_error([&] { read_idx(folder / "x.gz"); }, {"/x.gz is damaged"});
}

TEST(ReadIdx, DoesNotAllocateWhatAHeaderMerelyPromises) {
  const std::int64_t before = peak_memory_bytes();
  const TemporaryFolder folder;
  const std::vector<std::string> headers = {
      std::string("\0\0\x08\x02\0\x0f\x42\x40\0\x0f\x42\x40 some pixels", 24),  // 10^12
      std::string("\0\0\x08\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                  20),                                                // 2^128
      std::string("\0\0\x08\x03\x80\0\0\0\x80\0\0\0\0\0\0\x04", 16),  // 2^64 wraps to 0
  };
  for (const std::string& header : headers) {
    put(folder / "x", header);
    expect_error([&] { read_idx(folder / "x"); }, {"announces", "more than the file holds"});
    put(folder / "x", packed_by_zlib(folder, header));
    expect_error([&] { read_idx(folder / "x"); }, {"announces", "more than the file holds"});
  }
  EXPECT_LT(peak_memory_bytes() - before, 64 << 20);
}

}  // namespace
}  // namespace whence::data
