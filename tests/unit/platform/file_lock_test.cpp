#include "whence/platform/file_lock.h"

#include <gtest/gtest.h>

#include <optional>

#include "support/files.h"

namespace whence {
namespace {

TEST(FileLock, IsHeldByOneAtATime) {
  const test::TemporaryFolder folder;
  std::optional<FileLock> first(std::in_place, folder / "lock");
  EXPECT_TRUE(first->held());
  const FileLock second(folder / "lock");  // flock counts open files, so this process can compete with itself
  EXPECT_FALSE(second.held());
  EXPECT_TRUE(second.taken());
  first.reset();
  EXPECT_TRUE(FileLock(folder / "lock").held());
}

TEST(FileLock, SaysWhatIsWrongWithTheFile) {
  const test::TemporaryFolder folder;
  const FileLock lock(folder / "nowhere" / "lock");
  EXPECT_FALSE(lock.held());
  EXPECT_FALSE(lock.taken());
  EXPECT_EQ(lock.reason(), "No such file or directory");
}

}  // namespace
}  // namespace whence
