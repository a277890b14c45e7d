// Every truncation and many corruptions of a small IDX file: an Error or the right values, nothing else.
#include <gtest/gtest.h>

#include "support/files.h"
#include "unit/data/support.h"
#include "whence/core/error.h"
#include "whence/platform/machine.h"

namespace whence::data {
namespace {

using whence::test::content;
using whence::test::put;
using whence::test::TemporaryFolder;

constexpr std::size_t header_size = 16;

/// The tensor, or nullopt when the file is refused with an Error; any other exception ends the test.
std::optional<at::Tensor> read_or_refuse(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);  // some file systems flush a file that is written over, which takes long
  put(path, bytes);
  try {
    return read_idx(path);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    return std::nullopt;
  }
}

class IdxFuzz : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    write_idx(folder_ / GetParam(), values_);
    bytes_ = content(folder_ / GetParam());
    peak_ = peak_memory_bytes();
  }
  void TearDown() override { EXPECT_LT(peak_memory_bytes() - peak_, 64 << 20); }

  bool packed() const { return std::string_view(GetParam()).ends_with(".gz"); }

  TemporaryFolder folder_;
  at::Tensor values_ = test::random_bytes({5, 6, 7});
  std::string bytes_;
  std::int64_t peak_ = 0;
};

TEST_P(IdxFuzz, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < bytes_.size(); ++size) {
    EXPECT_FALSE(read_or_refuse(folder_ / "cut", bytes_.substr(0, size))) << size;
  }
}

TEST_P(IdxFuzz, RefusesEverySurplus) {
  for (const std::string& surplus :
       {std::string(1, '\0'), std::string("x"), bytes_, std::string(5000, '\x1f')}) {
    const bool padding = packed() && surplus == std::string(1, '\0');  // which gzip passes over
    EXPECT_EQ(read_or_refuse(folder_ / "long", bytes_ + surplus).has_value(), padding);
  }
}

TEST_P(IdxFuzz, RefusesOrSurvivesEveryFlippedBit) {
  for (std::size_t position = 0; position < bytes_.size(); ++position) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes_;
      damaged[position] = static_cast<char>(damaged[position] ^ (1 << bit));
      const auto read = read_or_refuse(folder_ / "damaged", damaged);
      if (!read) continue;
      if (packed()) {  // e.g. the time stamp: what is read must be right
        EXPECT_TRUE(at::equal(*read, values_)) << position << ' ' << bit;
      } else {  // no checksum: only a pixel may differ
        EXPECT_GE(position, header_size);
        EXPECT_EQ(read->sizes(), values_.sizes());
      }
    }
  }
}

TEST_P(IdxFuzz, RefusesOrSurvivesRandomDamage) {
  Generator generator = make_generator(1, "test/fuzz");
  const auto draw = [&](std::size_t range) {
    const at::Tensor drawn =
        at::randint(static_cast<std::int64_t>(range), {1}, generator, at::TensorOptions(at::kLong));
    return static_cast<std::size_t>(drawn.item<std::int64_t>());
  };
  for (int trial = 0; trial < 2000; ++trial) {
    std::string damaged = bytes_.substr(0, draw(4) == 0 ? draw(bytes_.size()) : bytes_.size());
    for (std::size_t hits = 1 + draw(8); hits > 0 && !damaged.empty(); --hits) {
      damaged[draw(trial % 2 == 0 ? std::min(header_size, damaged.size()) : damaged.size())] =
          static_cast<char>(draw(256));
    }
    if (const auto read = read_or_refuse(folder_ / "damaged", damaged)) {
      EXPECT_EQ(read->numel(), values_.numel()) << trial;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, IdxFuzz, testing::Values("x", "x.gz"), [](const auto& given) {
  return std::string(given.param) == "x" ? "Plain" : "Gzip";
});

}  // namespace
}  // namespace whence::data
