// Run folders: their default place, their lock, their stamps.
#include "experiment/folder.h"

#include <sys/wait.h>

#include "unit/experiment/support.h"

namespace whence::experiment {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test::TemporaryFolder;

TEST(RunFolder, DefaultIsTheRecipesOwnPathUnderRuns) {
  EXPECT_EQ(default_folder("recipes/gce/fmnist-034.toml"), "runs/gce/fmnist-034");
  EXPECT_EQ(default_folder("/opt/share/whence/recipes/gce/fmnist-034.toml"), "runs/gce/fmnist-034");
  EXPECT_EQ(default_folder("/tmp/mine.toml"), "runs/mine");
  EXPECT_EQ(default_folder("/a/recipes/b/recipes/c.toml"), "runs/b/recipes/c");
}

TEST(FolderLock, ASecondProcessIsRefusedUntilTheFirstEnds) {
  const TemporaryFolder temporary;
  const RunFolder folder(temporary / "run");
  const auto child_can_lock = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        const FolderLock lock(folder);
        ::_exit(0);
      } catch (const Error& error) {
        ::_exit(std::string(error.what()).find("another whence is working") != std::string::npos ? 7 : 8);
      }
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  {
    const FolderLock lock(folder);
    EXPECT_EQ(child_can_lock(), 7);
  }
  EXPECT_EQ(child_can_lock(), 0);
}

TEST(FolderLock, RefusesAFolderOfOtherThings) {
  const TemporaryFolder temporary;
  write_file(temporary / "thesis.tex", "x");
  EXPECT_TRUE(
      contains(error_of([&] { FolderLock lock{RunFolder(temporary.path())}; }), "holds 'thesis.tex'"));
}

TEST(FolderLock, SaysWhenTheFolderCannotBeMade) {
  const TemporaryFolder temporary;
  write_file(temporary / "file", "x");
  EXPECT_TRUE(
      contains(error_of([&] { FolderLock lock{RunFolder(temporary / "file/run")}; }), "cannot be made"));
  EXPECT_TRUE(contains(error_of([&] { FolderLock lock{RunFolder("/proc/whence")}; }), "cannot be made"));
}

TEST(Stamp, ComesBackAsWritten) {
  const TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  EXPECT_FALSE(read_stamp(folder, "classifier").finished);
  Stamp stamp;
  stamp.finished = true;
  stamp.inputs = {{"recipe", {{"run.seed", 3}}}};
  stamp.fingerprint = "abc";
  stamp.seconds = 1.5;
  stamp.metrics = {{"classifier", {{"test_accuracy", 0.5}}}};
  stamp.products = {"classifier.safetensors"};
  write_stamp(folder, "classifier", stamp);
  const Stamp again = read_stamp(folder, "classifier");
  EXPECT_TRUE(again.finished);
  EXPECT_EQ(again.inputs, stamp.inputs);
  EXPECT_EQ(again.fingerprint, stamp.fingerprint);
  EXPECT_EQ(again.metrics, stamp.metrics);
  EXPECT_EQ(again.products, stamp.products);
  EXPECT_DOUBLE_EQ(again.seconds, 1.5);
}

TEST(Stamp, DamagedOnesAreNamed) {
  const TemporaryFolder temporary;
  const RunFolder folder(temporary.path());
  write_file(folder.stamp("data"), "{}");
  EXPECT_TRUE(contains(error_of([&] { read_stamp(folder, "data"); }), "data.json is not a stage's stamp"));
  write_file(folder.stamp("data"), "{\"fini");
  EXPECT_TRUE(contains(error_of([&] { read_stamp(folder, "data"); }), "data.json"));
}

TEST(Fingerprint, IsFnv1a) {  // test vectors of Fowler, Noll and Vo
  EXPECT_EQ(fingerprint_of(""), "cbf29ce484222325");
  EXPECT_EQ(fingerprint_of("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(fingerprint_of("foobar"), "85944171f73967e8");
}

}  // namespace
}  // namespace whence::experiment
